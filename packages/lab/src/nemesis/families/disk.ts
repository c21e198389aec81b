import { MILLISECOND, SECOND, type Task } from '@quorate/kernel';
import { seconds } from '../arena.js';
import { pick, range, subset } from '../draw.js';
import type { Attack, Family } from '../family.js';

function machinesOf({ arena, choices }: Attack): readonly string[] {
  return subset(choices, 'machine', arena.machines, 1, false);
}

/** The disks are slow for some machines. */
export const slow: Family = function* (attack): Task {
  const { arena, choices, period, tell } = attack;
  const machines = machinesOf(attack);
  const factor = pick(choices, 'factor', [2, 5, 10, 50, 100, 500, 1000]);
  const duration = range(choices, 'hold', SECOND, period);
  tell(`the disks are ${factor} times as slow for ${machines.join(' ')}`);
  for (const machine of machines) arena.lab.fault({ kind: 'disks', machine, impairment: { slow: factor } });
  if (!(yield* arena.hold(duration))) return;
  for (const machine of machines) arena.lab.fault({ kind: 'disks', machine, impairment: {} });
};

/** Around half of, and all of, qdiskd's 10 s. */
const HANGS = [0.5, 2, 4, 4.9, 5.1, 6, 9, 9.9, 10.1, 11, 15, 25];

/** The disks take what some machines send, and do not answer for a while. */
export const hang: Family = function* (attack): Task {
  const { arena, choices, tell } = attack;
  const machines = machinesOf(attack);
  const hungFor = seconds(pick(choices, 'duration', HANGS));
  tell(`the disks do not answer ${machines.join(' ')} for ${hungFor / SECOND} s`);
  for (const machine of machines) arena.lab.fault({ kind: 'disks', machine, impairment: { hungFor } });
  yield* arena.hold(hungFor);
};

/** A machine has no way to the disks for a while. */
export const path: Family = function* (attack): Task {
  const { arena, choices, period, tell } = attack;
  const machine = pick(choices, 'machine', arena.machines);
  const duration = range(choices, 'hold', SECOND / 2, period);
  tell(`${machine} has no way to the disks`);
  arena.lab.setDiskPath(machine, false);
  if (yield* arena.hold(duration)) arena.lab.setDiskPath(machine, true);
};

/** Registering and preempting take long. */
export const reserveDelay: Family = function* (attack): Task {
  const { arena, choices, period, tell } = attack;
  const machines = machinesOf(attack);
  const reserveOut = range(choices, 'delay', 10 * MILLISECOND, 10 * SECOND, 100);
  const duration = range(choices, 'hold', SECOND, period);
  tell(`PERSISTENT RESERVE OUT of ${machines.join(' ')} takes ${(reserveOut / SECOND).toFixed(2)} s`);
  for (const machine of machines) arena.lab.fault({ kind: 'disks', machine, impairment: { reserveOut } });
  if (!(yield* arena.hold(duration))) return;
  for (const machine of machines) arena.lab.fault({ kind: 'disks', machine, impairment: {} });
};
