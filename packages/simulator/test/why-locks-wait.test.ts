import { type Program, parseSeed, SECOND, type Task } from '@quorate/kernel';
import { type Lab, lockChaosTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

/** Starts a program and does not wait for it. */
const start: Program = function* start(argv, os) {
  yield* os.sleep(0);
  return typeof os.spawn(argv.slice(1)) === 'number' ? 0 : 1;
};

const topology = lockChaosTopology(new Map([...administratorsPrograms, ['start', start]]));

/** Node 1 is the master of a resource that node 2 holds and node 3 waits for; what `dlm_tool why` says there after something else. */
function why(then: (lab: Lab) => Task): readonly string[] {
  const scenario: Scenario<string> = {
    name: 'why',
    title: 'why a lock waits',
    kinds: [],
    *script(lab) {
      lab.powerOn(...lab.machines);
      yield* lab.wait(70 * SECOND);
      for (const [machine, mode] of [
        ['node1', 'NL'],
        ['node2', 'EX'],
        ['node3', 'EX'],
      ] as const) {
        yield* lab.exec(machine, `start locks space 0 a=r:${mode} ~1000000`);
        yield* lab.wait(5 * SECOND);
      }
      yield* then(lab);
      const done = yield* lab.exec('node3', 'dlm_tool why space');
      return `${done?.output}${done?.errors}`;
    },
  };
  const run = new Simulator({ scenario, topology, seed: parseSeed('7')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  return (run.result as string).trimEnd().split('\n');
}

it('a lock of node 3 that node 2 holds up, as node 1 tells, its master', () => {
  expect(why(function* () {})).toEqual([
    'lock 00000001 of node 3 waits for EX on "r"',
    '  it is number 1 of 1 requests at node 1, the master',
    expect.stringMatching(/^ {2}lock 00000001 of node 2 \(process \d+\) holds EX$/),
  ]);
});

it('a master that died and is not fenced, as its fence agent fails', () => {
  const lines = why(function* (lab) {
    for (const machine of lab.machines) {
      lab.fault({ kind: 'program', machine, fault: { program: 'fence_power', runs: 1000, delay: SECOND, status: 1 } });
    }
    lab.powerOff('node1');
    yield* lab.wait(60 * SECOND);
  });
  expect(lines).toEqual([
    'lock 00000001 of node 3 waits for EX on "r"',
    expect.stringMatching(
      /^ {2}lockspace space stands still on node 3: change \d waits for fencing of node 1 since \d\d s$/,
    ),
    expect.stringMatching(
      /^ {2}fenced has not dealt with node 1, which failed \d\d s ago: fence it, or say so with fence_ack_manual$/,
    ),
  ]);
});

it('a cluster without quorum', () => {
  const lines = why(function* (lab) {
    lab.powerOff('node1', 'node4', 'node5');
    yield* lab.wait(60 * SECOND);
  });
  expect(lines[1]).toMatch(
    /^ {2}lockspace space stands still on node 3: change \d waits for fencing of nodes 1, 4, 5 /,
  );
  expect(lines.at(-1)).toBe('  fenced fences nobody without quorum');
});

it('a master that is paused', () => {
  const lines = why(function* (lab) {
    lab.pause('node1');
    yield* lab.wait(0);
  });
  expect(lines.slice(1)).toEqual(['  node 1 is the master of "r"', '  node 1 does not answer']);
});
