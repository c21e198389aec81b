import { SECOND, type Task } from '@quorate/kernel';
import { pick, range } from '../draw.js';
import type { Family } from '../family.js';

const MILDEST_FIRST = [1, -1] as const;

/** A family of clocks that run fast or slow by up to so many parts per million. */
function driftUpTo(most: number): Family {
  return function* ({ arena, choices, period, tell }): Task {
    const machine = pick(choices, 'machine', arena.machines);
    const ppm = pick(choices, 'sign', MILDEST_FIRST) * range(choices, 'ppm', 1, most, 100);
    const duration = range(choices, 'hold', SECOND, period);
    tell(`the clock of ${machine} is ${ppm} ppm fast`);
    arena.lab.fault({ kind: 'clock-drift', machine, ppm });
    if (yield* arena.hold(duration)) arena.lab.fault({ kind: 'clock-drift', machine, ppm: 0 });
  };
}

export const drift: Family = driftUpTo(200);

/** A wall clock that jumps by up to so many seconds, and is not set back. */
export const step: Family = function* ({ arena, choices, tell }): Task {
  const machine = pick(choices, 'machine', arena.machines);
  const offset = pick(choices, 'sign', MILDEST_FIRST) * range(choices, 'offset', SECOND / 10, 10 * SECOND, 100);
  tell(`the wall clock of ${machine} jumps by ${offset / SECOND} s`);
  arena.lab.fault({ kind: 'clock-step', machine, offset });
};
