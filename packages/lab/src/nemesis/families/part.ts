import { MILLISECOND, SECOND, type Task } from '@quorate/kernel';
import { pick, range, subset } from '../draw.js';
import type { Attack, Family } from '../family.js';

/** One direction of closed links. */
interface Cut {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** Two sides; the gateway is with both, or with one of them. */
function sides({ arena, choices }: Attack): { readonly here: readonly string[]; readonly there: readonly string[] } {
  const here = subset(choices, 'side', arena.machines, 1, true);
  const there = arena.machines.filter((machine) => !here.includes(machine));
  const gateway = choices.choose('gateway', 4);
  if (gateway === 2) return { here: [...here, 'gateway'], there };
  return gateway === 3 ? { here, there: [...there, 'gateway'] } : { here, there };
}

function* holdCuts(attack: Attack, cuts: readonly Cut[], text: string): Task {
  const { arena, choices, period } = attack;
  const duration = range(choices, 'hold', SECOND, period);
  attack.tell(text);
  for (const { from, to } of cuts) arena.close(from, to);
  if (!(yield* arena.hold(duration))) return;
  for (const { from, to } of cuts) arena.open(from, to);
}

/** Two sides that do not hear each other. */
export const symmetric: Family = function* (attack): Task {
  const { here, there } = sides(attack);
  const cuts = [
    { from: here, to: there },
    { from: there, to: here },
  ];
  yield* holdCuts(attack, cuts, `${here.join(' ')} | ${there.join(' ')}`);
};

/** One side hears the other, and is not heard. */
export const asymmetric: Family = function* (attack): Task {
  const { here, there } = sides(attack);
  yield* holdCuts(attack, [{ from: here, to: there }], `${there.join(' ')} do not hear ${here.join(' ')}`);
};

/** Shapes in which not everybody agrees about who is there. */
export const shape: Family = function* (attack): Task {
  const { arena, choices } = attack;
  const { machines } = arena;
  const name = pick(choices, 'shape', ['pairs', 'isolate-one', 'bridge', 'majority-ring'] as const);
  const first = choices.choose('first', machines.length);
  const ring = machines.map((_, i) => machines[(first + i) % machines.length]!);
  yield* holdCuts(attack, cutsOf(name, ring), `${name} of ${ring.join(' ')}`);
};

function cutsOf(name: 'pairs' | 'isolate-one' | 'bridge' | 'majority-ring', ring: readonly string[]): readonly Cut[] {
  const both = (a: readonly string[], b: readonly string[]): readonly Cut[] => [
    { from: a, to: b },
    { from: b, to: a },
  ];
  const [first = '', ...rest] = ring;
  const half = Math.ceil(rest.length / 2);
  switch (name) {
    case 'pairs':
      return both([first], rest.slice(0, 1));
    case 'isolate-one':
      return both([first], rest);
    case 'bridge':
      // The first one hears both halves.
      return both(rest.slice(0, half), rest.slice(half));
    case 'majority-ring': {
      // Each hears so many of those after and before it that they are a majority with it.
      const reach = Math.floor(ring.length / 4) || 1;
      return ring.flatMap((machine, i) =>
        ring
          .filter((_, j) => Math.min(Math.abs(i - j), ring.length - Math.abs(i - j)) > reach)
          .map((other) => ({ from: [machine], to: [other] })),
      );
    }
  }
}

/** A partition that comes and goes. */
export const flap: Family = function* (attack): Task {
  const { arena, choices, period } = attack;
  const { here, there } = sides(attack);
  const closed = pick(choices, 'closed', [20 * MILLISECOND, 200 * MILLISECOND, SECOND, 2 * SECOND, 5 * SECOND]);
  const open = pick(choices, 'open', [5 * SECOND, 2 * SECOND, SECOND, 200 * MILLISECOND, 20 * MILLISECOND]);
  const times = Math.min(1 + choices.choose('times', 20), Math.floor(period / (closed + open)));
  attack.tell(`${here.join(' ')} | ${there.join(' ')} ${times} times for ${closed / SECOND} s`);
  for (let i = 0; i < times; i++) {
    arena.close(here, there);
    arena.close(there, here);
    if (!(yield* arena.hold(closed))) return;
    arena.open(here, there);
    arena.open(there, here);
    if (!(yield* arena.hold(open))) return;
  }
};
