import { type BlockStore, PAGE_BYTES, SparseStore } from '@quorate/scsi';
import type { StoresControl } from '../worker/stored-pages.js';
import type { AttachedWorker } from './attached-worker.js';

/** The disks as a run left them, and the hashes of the images that they began as; by LUN. */
export interface FetchedDisks {
  readonly stores: ReadonlyMap<number, BlockStore>;
  readonly imageHashes: ReadonlyMap<number, string>;
}

/**
 * Copies the disks out of a worker that has some, by LUN, a piece at a time; `heard` is called for each. Without what a worker that
 * dies meanwhile did not hand over.
 */
export async function fetchStores(disks: AttachedWorker<StoresControl>, heard: () => void): Promise<FetchedDisks> {
  const stores = new Map<number, BlockStore>();
  const imageHashes = new Map<number, string>();
  for (const { lun, blocks, blockLength, imageHash } of (await disks.call((control) => control.disks())) ?? []) {
    const store = new SparseStore({ blocks, blockLength });
    stores.set(lun, store);
    imageHashes.set(lun, imageHash);
    for (let isFirst = true, isLast = false; !isLast; isFirst = false) {
      const piece = await disks.call((control) => control.pages(lun, isFirst));
      heard();
      if (piece === undefined) return { stores, imageHashes };
      const bytes = new Uint8Array(piece.bytes);
      piece.offsets.forEach((offset, i) => {
        store.write(offset / blockLength, bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES));
      });
      isLast = piece.isLast;
    }
  }
  return { stores, imageHashes };
}
