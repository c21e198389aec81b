import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { VOLUME } from '@quorate/lab';
import type { StorePage } from '@quorate/scsi';
import { UsageError } from './usage-error.js';

/**
 * Writes the shared disk's GFS2 volume as a sparse file that `fsck.gfs2` takes.
 *
 * `pages` are those of the whole disk.
 */
export function writeVolumeImage(path: string, pages: Iterable<StorePage>): void {
  const start = VOLUME.start * 512;
  const end = start + VOLUME.blocks * 512;
  let file: number;
  try {
    file = openSync(path, 'w');
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
  ftruncateSync(file, end - start);
  for (const { offset, bytes } of pages) {
    const from = Math.max(offset, start);
    const to = Math.min(offset + bytes.length, end);
    if (from < to) writeSync(file, bytes, from - offset, to - from, from - start);
  }
  closeSync(file);
}
