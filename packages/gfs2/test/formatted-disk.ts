import { Prng } from '@quorate/kernel';
import type { MkfsOptions } from '../src/mkfs/options.js';
import { mkfs } from '../src/mkfs.js';
import { MemoryDisk } from './memory-disk.js';
import { SparseImage } from './sparse-image.js';

/** A disk of that many MiB with an empty file system: one journal of 8 MiB unless the options say otherwise. */
export function formattedDisk(mib: number, options: Partial<MkfsOptions> = {}): MemoryDisk {
  const image = new SparseImage(mib << 20);
  mkfs(
    {
      lockProtocol: 'lock_dlm',
      lockTable: 'my-cluster:vol',
      journalMiB: 8,
      wall: { sec: 1_782_900_000, nsec: 0 },
      prng: new Prng(5, 6, 7, 8),
      ...options,
    },
    image,
  );
  return new MemoryDisk(options.blockSize ?? 4096, image);
}
