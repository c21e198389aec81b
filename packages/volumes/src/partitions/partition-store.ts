import type { BlockStore } from '@quorate/scsi';
import type { Partition } from './partition-table.js';

/** A run of a store's blocks as a store of its own. */
class WindowStore implements BlockStore {
  readonly blocks: number;
  readonly blockLength: number;
  readonly #store: BlockStore;
  readonly #start: number;

  /** @throws {RangeError} when the run does not lie inside the store. */
  constructor(store: BlockStore, start: number, blocks: number) {
    if (!(start >= 0 && blocks >= 0 && start + blocks <= store.blocks)) {
      throw new RangeError(`blocks ${start} + ${blocks} of a store of ${store.blocks}`);
    }
    this.#store = store;
    this.#start = start;
    this.blocks = blocks;
    this.blockLength = store.blockLength;
  }

  read(lba: number, blocks: number, into: Uint8Array): void {
    this.#checkRange(lba, blocks);
    this.#store.read(this.#start + lba, blocks, into);
  }

  write(lba: number, bytes: Uint8Array): void {
    this.#checkRange(lba, bytes.length / this.blockLength);
    this.#store.write(this.#start + lba, bytes);
  }

  flush(): void {
    this.#store.flush();
  }

  #checkRange(lba: number, blocks: number): void {
    if (lba >= 0 && blocks >= 0 && lba + blocks <= this.blocks) return;
    throw new RangeError(`blocks ${lba} + ${blocks} of ${this.blocks}`);
  }
}

/** The store of a partition. @throws {RangeError} when the partition ends behind the disk, or its blocks are not 512 bytes. */
export function partitionStore(disk: BlockStore, { start, sectors }: Partition): BlockStore {
  if (disk.blockLength !== 512) throw new RangeError(`blockLength ${disk.blockLength}: expected 512`);
  return new WindowStore(disk, start, sectors);
}
