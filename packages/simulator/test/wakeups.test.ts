import { Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { EventClass, Wakeups } from '../src/wakeups.js';

/** The same by the book: every change is a new entry, the old one is removed. */
class Naive {
  readonly #entries = new Map<number, { at: number; order: number }>();
  #seq = 0;

  set(now: number, actor: number, deadline: number, eventClass: number): void {
    const at = Math.max(now, deadline);
    if (this.#entries.get(actor)?.at === at) return;
    this.#seq += 1;
    if (at === Infinity) this.#entries.delete(actor);
    else this.#entries.set(actor, { at, order: eventClass * 2 ** 48 + this.#seq });
  }

  next(): { actor: number; at: number } | undefined {
    const sorted = [...this.#entries].sort(([, a], [, b]) => a.at - b.at || a.order - b.order);
    const [first] = sorted;
    if (first === undefined) return undefined;
    this.#entries.delete(first[0]);
    return { actor: first[0], at: first[1].at };
  }
}

describe('wake-ups', () => {
  it('come in the same order as with one entry per change, on 20 000 random programs of set, move and fire', () => {
    const prng = new Prng(1, 2, 3, 4);
    const lazy = new Wakeups(8);
    const naive = new Naive();
    const classes = [EventClass.timer, EventClass.frame, EventClass.disk];
    let now = 0;
    for (let i = 0; i < 20_000; i++) {
      if (prng.below(3) > 0) {
        const actor = prng.below(8);
        const deadline = prng.below(10) === 0 ? Infinity : now + prng.below(20);
        const eventClass = classes[actor % 3]!;
        lazy.set(now, actor, deadline, eventClass);
        naive.set(now, actor, deadline, eventClass);
      } else {
        const due = lazy.next(Infinity);
        expect(due).toEqual(naive.next());
        now = due?.at ?? now;
      }
    }
    expect(lazy.size).toBeLessThan(60);
  });
});
