import { murmur3, setU64, viewOf } from '@quorate/kernel';
import type { BlockStore } from '@quorate/scsi';

const RECORD_BYTES = 16;
const NO_PAGES: readonly never[] = [];

/**
 * 16 hex digits over an image: its size, and every page that holds anything with its place.
 *
 * Images with the same content have the same hash, whatever wrote them and in whatever order; a page of zeros counts as none.
 */
export function imageHash(image: BlockStore): string {
  const record = new Uint8Array(RECORD_BYTES);
  const view = viewOf(record);
  let high = image.blockLength;
  let low = 1;
  const add = (place: number, first: number, second: number): void => {
    setU64(view, 0, place, true);
    view.setUint32(8, first, true);
    view.setUint32(12, second, true);
    high = murmur3(record, high);
    low = murmur3(record, low);
  };
  add(image.blocks, 0, 0);
  const pages = [...(image.pages?.() ?? NO_PAGES)].sort((a, b) => a.offset - b.offset);
  for (const { offset, bytes } of pages) {
    if (bytes.some((byte) => byte !== 0)) add(offset, murmur3(bytes), murmur3(bytes, 1));
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
