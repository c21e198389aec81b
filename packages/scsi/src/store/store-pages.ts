import { type BlockStore, PAGE_BYTES, type StorePage } from './block-store.js';

/** What of a store is not zero, in ascending order: as it tells, or found by reading everything. */
export function pagesOf(store: BlockStore): Iterable<StorePage> {
  return store.pages === undefined ? readPages(store) : store.pages();
}

function* readPages(store: BlockStore): Iterable<StorePage> {
  const perPage = PAGE_BYTES / store.blockLength;
  for (let lba = 0; lba < store.blocks; lba += perPage) {
    const blocks = Math.min(perPage, store.blocks - lba);
    const bytes = new Uint8Array(blocks * store.blockLength);
    store.read(lba, blocks, bytes);
    if (!isZero(bytes)) yield { offset: lba * store.blockLength, bytes };
  }
}

export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
