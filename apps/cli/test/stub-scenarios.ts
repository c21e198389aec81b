import { defineInvariant, type Fact } from '@quorate/kernel';
import { type Lab, plainTopology } from '@quorate/lab';
import type { PreparedScenario, ScenarioResult } from '@quorate/simulator';
import type { Scenarios } from '../src/scenarios.js';

const OK: ScenarioResult = { ok: true, failures: [] };
const NOT_OK: ScenarioResult = { ok: false, failures: [{ step: 'only', observed: { text: 'the page is served' } }] };

/** A minute in which one machine boots, or whatever else `script` does. */
function scenario(script: (lab: Lab) => Generator<unknown, ScenarioResult, unknown>): PreparedScenario {
  return {
    topology: plainTopology({ machines: 1 }),
    scenario: { name: 'stub', title: 'a stub', kinds: [], script },
    invariants: [],
  };
}

function boots(result: ScenarioResult): PreparedScenario {
  return scenario(function* (lab) {
    lab.progress({ kind: 'step-began', id: 'only', title: 'node1 boots', number: 1, of: 1 });
    lab.powerOn('node1');
    yield* lab.wait(40e9);
    lab.progress({ kind: 'observed', step: 'only', observed: { text: 'it is up', isTrue: true, found: '' } });
    return result;
  });
}

/** Trips over the first machine that is up. */
const nothingIsUp = defineInvariant<Fact & { readonly kind: 'node.state'; readonly state: string }>({
  id: 'T1',
  name: 'nothing-is-up',
  statement: 'No machine is ever up.',
  kinds: ['node.state'],
  start: () => ({
    observe(fact, verdict) {
      if (fact.state === 'up') verdict.violate('a machine is up', [fact.node]);
    },
  }),
});

/** One scenario for each verdict. */
export function stubScenarios(): Scenarios {
  let runs = 0;
  return new Map<string, () => PreparedScenario>([
    ['passes', () => boots(OK)],
    ['expects-more', () => boots(NOT_OK)],
    ['breaks-a-rule', () => ({ ...boots(OK), invariants: [nothingIsUp] })],
    [
      'throws',
      () =>
        scenario(function* (lab) {
          yield* lab.wait(1e9);
          throw new Error('the script is wrong');
        }),
    ],
    [
      'never-ends',
      () =>
        scenario(function* (lab) {
          for (;;) yield* lab.wait(60e9);
        }),
    ],
    [
      'differs',
      () =>
        scenario(function* (lab) {
          runs += 1;
          if (runs % 2 === 0) lab.powerOn('node1');
          yield* lab.wait(40e9);
          return OK;
        }),
    ],
  ]);
}
