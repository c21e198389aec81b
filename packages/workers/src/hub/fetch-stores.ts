import { type BlockStore, PAGE_BYTES, SparseStore } from '@quorate/scsi';
import type { DiskControl } from '../worker/disk-worker.js';
import type { AttachedWorker } from './attached-worker.js';

/**
 * Copies the disks out of their worker, by LUN, a piece at a time; `heard` is called for each. Without what a worker that
 * dies meanwhile did not hand over.
 */
export async function fetchStores(
  disks: AttachedWorker<DiskControl>,
  heard: () => void,
): Promise<ReadonlyMap<number, BlockStore>> {
  const stores = new Map<number, BlockStore>();
  for (const { lun, blocks, blockLength } of (await disks.call((control) => control.sizes())) ?? []) {
    const store = new SparseStore({ blocks, blockLength });
    stores.set(lun, store);
    for (let isFirst = true, isLast = false; !isLast; isFirst = false) {
      const piece = await disks.call((control) => control.pages(lun, isFirst));
      heard();
      if (piece === undefined) return stores;
      const bytes = new Uint8Array(piece.bytes);
      piece.offsets.forEach((offset, i) => {
        store.write(offset / blockLength, bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES));
      });
      isLast = piece.isLast;
    }
  }
  return stores;
}
