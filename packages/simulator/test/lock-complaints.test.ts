import { type Program, parseSeed, SECOND, type Task } from '@quorate/kernel';
import { type Lab, lockChaosTopology, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

const EX = 5;
const PERSISTENT = 0x80;

/** `take SPACE NAME FLAGS`: takes a lock and ends; 1 when it has not come within a second. */
const take: Program = function* take([, lockspace = '', name = '', flags = ''], os) {
  const caller = { lockspace, process: os.pid };
  yield* os.call('dlm', { kind: 'open', ...caller });
  yield* os.call('dlm', { kind: 'lock', ...caller, name, mode: EX, flags: Number(flags) });
  return (yield* os.call('dlm', { kind: 'read', ...caller, timeout: SECOND })) === undefined ? 1 : 0;
};

/** Types commands on a machine; gives their status and what they print. */
type Typed = (machine: string, command: string) => Task<readonly [status: number | undefined, output: string]>;

const topology = lockChaosTopology(new Map([...administratorsPrograms, ['take', take]]));

/** Three nodes have a lockspace with a lock that node 1 left behind; then something happens. */
function complaint<Result>(script: (lab: Lab, type: Typed) => Task<Result>): Result {
  const scenario: Scenario<Result> = {
    name: 'complaint',
    title: 'a complaint',
    kinds: [],
    *script(lab) {
      function* type(machine: string, command: string): ReturnType<Typed> {
        const done = yield* lab.exec(machine, command);
        return [done?.status, `${done?.output ?? ''}${done?.errors ?? ''}`];
      }
      lab.powerOn(...lab.machines);
      yield* lab.wait(70 * SECOND);
      for (const machine of ['node1', 'node2', 'node3']) yield* type(machine, `take space ${machine} ${PERSISTENT}`);
      return yield* script(lab, type);
    },
  };
  const run = new Simulator({ scenario, topology, seed: parseSeed('7')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  return run.result as Result;
}

it('complaint 3: locks hang while membership is fine, which a lock with a deadline shows, and no tool needs one to answer', () => {
  const [before, after] = complaint(function* (lab, type) {
    const granted = yield* type('node2', 'dlm_tool probe space 2');
    for (const machine of lab.machines) {
      lab.fault({ kind: 'program', machine, fault: { program: 'fence_power', runs: 1000, delay: SECOND, status: 1 } });
    }
    lab.powerOff('node1');
    yield* lab.wait(60 * SECOND);
    const hung: (readonly [number | undefined, string])[] = [];
    for (const command of ['cman_tool status', 'dlm_tool ls', 'dlm_tool health', 'dlm_tool probe space 2'])
      hung.push(yield* type('node2', command));
    return [granted, hung] as const;
  });
  expect(before).toEqual([0, expect.stringMatching(/^space granted a lock within \d+ ms\n$/)]);
  const [status, ls, health, probe] = after;
  expect(status).toEqual([0, expect.stringMatching(/Membership state: Cluster-Member\n(?:.*\n)*Nodes: 4\n/)]);
  expect(ls).toEqual([0, expect.stringContaining('wait_condition 1 fencing')]);
  expect(health).toEqual([2, expect.stringMatching(/^space waiting for fencing 1 since \d+ s\nwaiting\n$/)]);
  expect(probe).toEqual([2, 'space has granted no lock within 2 s\n']);
});

it('complaint 4: dlm_controld ends before its lockspaces do, and its node is removed, as in the original', () => {
  const log = complaint(function* (lab, type) {
    yield* type('node1', 'killall -9 dlm_controld');
    yield* lab.wait(30 * SECOND);
    return yield* type('node2', 'cman_tool nodes -F id,type');
  });
  expect(log[1]).toContain('1 X');
});

it('complaint 4: locks that processes left behind are listed, and purged, so that others get them', () => {
  const [listed, hung, purged, left, granted] = complaint(function* (_, type) {
    const orphans = yield* type('node1', 'dlm_tool orphans space');
    const before = yield* type('node2', 'take space node1 0');
    return [
      orphans,
      before,
      yield* type('node1', 'dlm_tool purge space'),
      yield* type('node1', 'dlm_tool orphans space'),
      yield* type('node2', 'take space node1 0'),
    ] as const;
  });
  expect(listed).toEqual([0, expect.stringMatching(/^\d{8} EX pid \d+ "node1"\n$/)]);
  expect([hung[0], purged[0]]).toEqual([1, 0]);
  expect(left).toEqual([0, '']);
  expect(granted[0]).toBe(0);
});
