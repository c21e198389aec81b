import { imageHash } from '@quorate/lab';
import type { BlockStore } from '@quorate/scsi';

/** Hashes of the images that a run starts from, by LUN. */
export function hashesOf(images: ReadonlyMap<number, BlockStore>): ReadonlyMap<number, string> {
  return new Map([...images].map(([lun, image]) => [lun, imageHash(image)]));
}
