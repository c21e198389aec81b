import { VOLUME } from '@quorate/lab';
import type { StorePage } from '@quorate/scsi';
import type { OutputFile } from './output-file.js';

/**
 * Writes the shared disk's GFS2 volume as a sparse file that `fsck.gfs2` takes.
 *
 * `pages` are those of the whole disk.
 */
export function writeVolumeImage(file: OutputFile, pages: Iterable<StorePage>): void {
  const start = VOLUME.start * 512;
  const end = start + VOLUME.blocks * 512;
  file.begin(end - start);
  for (const { offset, bytes } of pages) {
    const from = Math.max(offset, start);
    const to = Math.min(offset + bytes.length, end);
    if (from < to) file.write(bytes.subarray(from - offset, to - offset), from - start);
  }
  file.close();
}
