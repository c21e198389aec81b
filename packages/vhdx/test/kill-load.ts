import { Prng } from '@quorate/kernel';

export const DISK_BYTES: number = 256 * 1024 * 1024;
export const BYTES_PER_WRITE = 4096;

/** Where a batch writes: places all over the disk. The same batch is the same in every process. */
export function batchOf(batch: number): number[] {
  const prng = Prng.derive({ hi: 0, lo: batch }, 'kill');
  return Array.from({ length: 6 }, () => prng.below(DISK_BYTES / BYTES_PER_WRITE) * 8);
}
