import type { Prng } from '@quorate/kernel';
import type { DiskEvent, MemoryDisk } from './memory-disk.js';

/**
 * What a disk holds when power goes after `count` events of its history: all that a flush has made durable, and of the
 * writes behind the last flush any.
 */
export function cutPower(before: MemoryDisk, history: readonly DiskEvent[], count: number, prng: Prng): MemoryDisk {
  const disk = before.fork();
  const durable = history.lastIndexOf('flush', count - 1);
  for (const [i, event] of history.slice(0, count).entries()) {
    if (event !== 'flush' && (i < durable || prng.below(2) === 0)) disk.write(event.block, event.data);
  }
  return disk;
}
