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
        expect(queue.time).toBe(event!.time);
        expect(queue.order).toBe(event!.order);
        expect(queue.pop()).toBe(event!.slot);
      }
      if (queue.size !== model.length) throw new Error(`size ${queue.size}, expected ${model.length}`);
    }
  });
});
