import { fork, MILLISECOND, SECOND, type Task } from '@quorate/kernel';
import { seconds } from '../arena.js';
import { pick, range, subset } from '../draw.js';
import type { Attack, Family } from '../family.js';

/** Cuts the power of machines together and gives it back after a while, or not before chaos ends. */
export function* powerCut(attack: Attack, machines: readonly string[]): Task {
  const { arena, choices, period } = attack;
  const isForLong = choices.choose('for-long', 4) === 3;
  const off = range(choices, 'off', SECOND, Math.max(SECOND, period - SECOND));
  if (!arena.takeDown(machines)) return;
  attack.tell(
    `${machines.join(' ')} lose their power${isForLong ? ' for long' : ` for ${(off / SECOND).toFixed(1)} s`}`,
  );
  arena.lab.powerOff(...machines);
  if (isForLong || !(yield* arena.hold(off))) return;
  arena.broughtBack(machines);
  arena.lab.powerOn(...machines);
}

/** One machine loses its power. */
export const crash: Family = function* (attack): Task {
  yield* powerCut(attack, [pick(attack.choices, 'machine', attack.arena.machines)]);
};

/** Several machines lose their power at the same instant. */
export const domain: Family = function* (attack): Task {
  yield* powerCut(attack, subset(attack.choices, 'machine', attack.arena.machines, 2, true));
};

/** A machine loses its power within a write that it syncs, so that the disk may be left with a part of it. */
export const torn: Family = function* (attack): Task {
  const { arena, choices } = attack;
  const machine = pick(choices, 'machine', arena.machines);
  const after = range(choices, 'after', 0, 20 * MILLISECOND, 200);
  if (!arena.isUp(machine)) return;
  yield* fork(arena.lab.exec(machine, `echo torn >> /mydata/work/torn-${machine}; sync /mydata/work/torn-${machine}`));
  if (yield* arena.hold(after)) yield* powerCut(attack, [machine]);
};

/** Around the timeouts of qdiskd (10 s), the token (10 s) and the ring (22 s). */
export const PAUSES: readonly number[] = [0.05, 0.5, 2, 4.9, 5.1, 9, 9.9, 10.1, 11, 12, 15, 20, 23, 30];

/** A machine stands still for a while. */
export const pause: Family = function* (attack): Task {
  const { arena, choices, period } = attack;
  const machine = pick(choices, 'machine', arena.machines);
  const duration = Math.min(seconds(pick(choices, 'duration', PAUSES)), period - MILLISECOND);
  if (!arena.takeDown([machine])) return;
  attack.tell(`${machine} is paused for ${duration / SECOND} s`);
  arena.lab.pause(machine);
  if (!(yield* arena.hold(duration))) return;
  arena.broughtBack([machine]);
  arena.lab.resume(machine);
};

const DAEMONS = ['rgmanager', 'fenced', 'dlm_controld', 'gfs_controld', 'clvmd', 'qdiskd', 'corosync'];

/** A daemon is killed; after a while somebody resets the machine. */
export const daemon: Family = function* (attack): Task {
  const { arena, choices, period } = attack;
  const machine = pick(choices, 'machine', arena.machines);
  const name = pick(choices, 'daemon', DAEMONS);
  const until = range(choices, 'reset', SECOND, period - SECOND);
  if (!arena.takeDown([machine])) return;
  attack.tell(`${name} on ${machine} is killed`);
  yield* fork(arena.lab.exec(machine, `killall -9 ${name}`));
  if (!(yield* arena.hold(until))) return;
  arena.broughtBack([machine]);
  arena.lab.powerOff(machine);
  arena.lab.powerOn(machine);
};
