import { describe, expect, it } from 'vitest';
import { SEQUENCE_QUEUE_SIZE, SequenceQueue } from '../src/sequence-queue.js';

/** Nothing is held anywhere in the window, and nothing was missed. */
function isEmpty(queue: SequenceQueue<string>): boolean {
  for (let seq = 0; seq < SEQUENCE_QUEUE_SIZE; seq++) if (queue.has(seq) || queue.miss(seq) !== 1) return false;
  return true;
}

describe('a queue of messages by sequence number', () => {
  it.each([
    ['that was never used', () => {}],
    ['with messages', (queue) => [queue.add(1, 'm'), queue.add(2, 'm'), queue.add(900, 'm')]],
    ['with a miss behind its last message', (queue) => [queue.add(3, 'm'), queue.miss(5), queue.miss(5)]],
    ['whose window has moved past some', (queue) => [queue.add(7, 'm'), queue.add(9, 'm'), queue.releaseTo(8)]],
    [
      'whose window has moved past all',
      (queue) => [queue.add(7, 'm'), queue.releaseTo(70_000), queue.add(70_002, 'm')],
    ],
    ['with the last number of its window', (queue) => queue.add(SEQUENCE_QUEUE_SIZE - 1, 'm')],
    ['with a miss in front of its window', (queue) => [queue.releaseTo(50), queue.miss(49)]],
  ] as [string, (queue: SequenceQueue<string>) => unknown][])('%s is empty after a reset', (_, use) => {
    const queue = new SequenceQueue<string>();
    use(queue);
    queue.reset();
    expect(isEmpty(queue)).toBe(true);
  });
});
