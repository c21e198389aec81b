import { EventQueue } from '@quorate/kernel';

const PENDING = 32;
const HOLDS = 200_000;

/**
 * Million pop-and-push pairs a second of a heap with 32 events, in the best of `runs`: what this machine can do just now.
 *
 * Every other figure is printed beside it, so that figures of two machines, or of a busy and a quiet hour, compare.
 */
export function calibrate(runs = 10): number {
  let best = 0;
  for (let run = 0; run < runs; run++) {
    const queue = new EventQueue();
    let order = 0;
    for (; order < PENDING; order++) queue.push((order * 7919) % 1000, order, order);
    const start = process.hrtime.bigint();
    for (let i = 0; i < HOLDS; i++) {
      const time = queue.time;
      const slot = queue.pop();
      order += 1;
      queue.push(time + ((slot * 7919 + i) % 1000), order, slot);
    }
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    best = Math.max(best, HOLDS / seconds / 1e6);
  }
  return best;
}
