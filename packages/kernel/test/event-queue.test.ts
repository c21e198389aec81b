import { describe, expect, it } from 'vitest';
import { EventQueue, Prng } from '../src/index.js';

describe('the event queue', () => {
  it('is empty at first', () => {
    const queue = new EventQueue();
    expect(queue.time).toBe(Infinity);
    expect(queue.pop()).toBe(-1);
  });

  it('gives the same order as a sorted list on 100 000 random operations with many equal times', () => {
    const prng = new Prng(1, 2, 3, 4);
    const queue = new EventQueue(1);
    const model: { time: number; order: number; slot: number }[] = [];
    for (let i = 0; i < 100_000; i++) {
      if (prng.below(5) < 3 && model.length < 200) {
        const event = { time: prng.below(50), order: i, slot: i };
        queue.push(event.time, event.order, event.slot);
        model.push(event);
      } else if (model.length > 0) {
        let least = 0;
        for (let k = 1; k < model.length; k++) {
          const a = model[k]!;
          const b = model[least]!;
          if (a.time < b.time || (a.time === b.time && a.order < b.order)) least = k;
        }
        const [event] = model.splice(least, 1);
        const { time, order } = queue;
        const found = { time, order, slot: queue.pop() };
        // A matcher for each of 100 000 operations would take most of the time.
        if (found.time !== event!.time || found.order !== event!.order || found.slot !== event!.slot) {
          expect(found).toEqual(event);
        }
      }
      if (queue.size !== model.length) expect(queue.size).toBe(model.length);
    }
  });
});
