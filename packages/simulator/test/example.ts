import { parseSeed, SECOND } from '@quorate/kernel';
import { plainTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { Simulator } from '../src/index.js';

/** Three nodes form a cluster; one loses its power. */
const scenario: Scenario<readonly string[]> = {
  name: 'one-dies',
  title: 'one of three loses its power',
  kinds: ['totem.configuration'],
  *script(lab) {
    lab.powerOn(...lab.machines);
    yield* lab.wait(60 * SECOND);
    const before = yield* lab.exec('node1', 'cman_tool status');
    lab.powerOff('node3');
    yield* lab.wait(30 * SECOND);
    const after = yield* lab.exec('node1', 'cman_tool status');
    return [before, after].map((done) => /^Total votes: \d/m.exec(done!.output)![0]);
  },
};

export function example(): string[] {
  const run = (seed: string) =>
    new Simulator({
      scenario,
      topology: plainTopology({ machines: 3 }),
      seed: parseSeed(seed)!,
      invariants: stackInvariants,
    }).run();
  const [first, again, other] = [run('7'), run('7'), run('8')];
  return [
    `${first.reason} after ${(first.at / SECOND).toFixed(0)} s: ${(first.result as string[]).join(', ')}`,
    `${first.violations.length} violations`,
    `the same run again: ${first.hash === again.hash}`,
    `another world: ${first.hash !== other.hash}`,
  ];
}
