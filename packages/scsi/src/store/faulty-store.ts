import type { BlockStore, StoreExtent, StorePage } from './block-store.js';
import { StoreError } from './store-error.js';

/** What is wrong with blocks of a `FaultyStore` from now on, until they are written again. */
export interface StoreFault {
  /**
   * `unreadable`: a latent sector error. `rotten`: one byte is another one, the same at every reading. `lost`: a write
   * was acknowledged and the old content stands. `overwritten`: they hold what was meant for other blocks. `stale`: they
   * are read once as they were before their last write.
   */
  readonly fault: 'unreadable' | 'rotten' | 'lost' | 'overwritten' | 'stale';
  readonly lba: number;
  readonly blocks: number;
}

/** What a block shows instead of what was written to it; `undefined` when it cannot be read. */
interface Overlay {
  readonly bytes: Uint8Array | undefined;
  readonly isOnce: boolean;
}

/**
 * A disk that fails as disks do, over a store that does not.
 *
 * The store below always has what was written: faults lie over it, a checker sees the truth in `pristine`, and `heal` takes
 * them away. Writing a block mends it. Source: simulation specification, 7.3.
 */
export class FaultyStore implements BlockStore {
  readonly blockLength: number;
  readonly hasWriteCache: boolean;
  /** What a disk without faults would hold. */
  readonly pristine: BlockStore;
  readonly unmap?: (lba: number, blocks: number) => void;
  readonly extentAt?: (lba: number, most?: number) => StoreExtent;
  readonly #onFault: (fault: StoreFault) => void;
  readonly #overlays = new Map<number, Overlay>();
  /** Content that blocks show once after their next write. */
  readonly #stale = new Map<number, Uint8Array>();
  #losesNextWrite = false;
  #misdirectsNextWriteTo: number | undefined;
  #isFull = false;

  /** `onFault` hears of each fault when it begins; of a write that goes wrong, before that write returns. */
  constructor(pristine: BlockStore, onFault: (fault: StoreFault) => void = () => {}) {
    this.pristine = pristine;
    this.blockLength = pristine.blockLength;
    this.hasWriteCache = pristine.hasWriteCache ?? false;
    this.#onFault = onFault;
    const { unmap, extentAt } = pristine;
    if (unmap !== undefined) {
      this.unmap = (lba, blocks) => {
        unmap.call(pristine, lba, blocks);
        this.#mend(lba, blocks);
      };
    }
    if (extentAt !== undefined) this.extentAt = (lba, most) => extentAt.call(pristine, lba, most);
  }

  get blocks(): number {
    return this.pristine.blocks;
  }

  get mappedBlocks(): number | undefined {
    return this.pristine.mappedBlocks;
  }

  /** Blocks that show something else than what was written to them. */
  get faultyBlocks(): number {
    return this.#overlays.size;
  }

  /** Latent sector errors: the blocks cannot be read until they are written. */
  spoil(lba: number, blocks: number): void {
    for (let i = 0; i < blocks; i++) this.#overlays.set(lba + i, { bytes: undefined, isOnce: false });
    this.#onFault({ fault: 'unreadable', lba, blocks });
  }

  /** The byte at that place of a block is another one from now on. */
  rot(lba: number, byte: number): void {
    const bytes = this.#shown(lba);
    bytes[byte]! ^= 0xff;
    this.#overlays.set(lba, { bytes, isOnce: false });
    this.#onFault({ fault: 'rotten', lba, blocks: 1 });
  }

  /** The first reading of the blocks after their next write gives what they hold now. */
  holdBack(lba: number, blocks: number): void {
    for (let i = 0; i < blocks; i++) this.#stale.set(lba + i, this.#shown(lba + i));
  }

  /** The next write is acknowledged and not applied. */
  loseNextWrite(): void {
    this.#losesNextWrite = true;
  }

  /** The next write goes to the blocks from `lba` on, as far as the disk has them. */
  misdirectNextWrite(lba: number): void {
    this.#misdirectsNextWriteTo = lba;
  }

  /** No room any more, or room again, for blocks of a thin store that have none. */
  fill(isFull: boolean): void {
    this.#isFull = isFull;
  }

  /** All faults are gone: every block shows what was written to it. */
  heal(): void {
    this.#overlays.clear();
    this.#stale.clear();
    this.#losesNextWrite = false;
    this.#misdirectsNextWriteTo = undefined;
    this.#isFull = false;
  }

  read(lba: number, blocks: number, into: Uint8Array): void {
    this.pristine.read(lba, blocks, into);
    if (this.#overlays.size === 0) return;
    const { blockLength } = this;
    for (let i = 0; i < blocks; i++) {
      const overlay = this.#overlays.get(lba + i);
      if (overlay === undefined) continue;
      if (overlay.bytes === undefined)
        throw new StoreError('unreadable', (lba + i) * blockLength, 'latent sector error');
      into.set(overlay.bytes, i * blockLength);
      if (overlay.isOnce) this.#overlays.delete(lba + i);
    }
  }

  write(lba: number, bytes: Uint8Array): void {
    const blocks = bytes.length / this.blockLength;
    if (this.#isFull) this.#checkRoom(lba, blocks);
    const isLost = this.#losesNextWrite || this.#misdirectsNextWriteTo !== undefined;
    const before = isLost ? this.#shownAll(lba, blocks) : undefined;
    this.pristine.write(lba, bytes);
    this.#mend(lba, blocks);
    if (before !== undefined) {
      this.#cover(lba, before, false);
      this.#onFault({ fault: 'lost', lba, blocks });
    }
    this.#losesNextWrite = false;
    this.#misdirect(bytes);
    if (this.#stale.size > 0) this.#showStale(lba, blocks);
  }

  flush(): void {
    this.pristine.flush();
  }

  /** Of the store without faults. */
  pages(): Iterable<StorePage> {
    if (this.pristine.pages === undefined) throw new RangeError('the store below has no pages');
    return this.pristine.pages();
  }

  #misdirect(bytes: Uint8Array): void {
    const to = this.#misdirectsNextWriteTo;
    if (to === undefined) return;
    this.#misdirectsNextWriteTo = undefined;
    const blocks = Math.min(bytes.length / this.blockLength, this.blocks - to);
    if (blocks <= 0) return;
    this.#cover(to, bytes.subarray(0, blocks * this.blockLength), false);
    this.#onFault({ fault: 'overwritten', lba: to, blocks });
  }

  #showStale(lba: number, blocks: number): void {
    for (let i = 0; i < blocks; i++) {
      const bytes = this.#stale.get(lba + i);
      if (bytes === undefined) continue;
      this.#stale.delete(lba + i);
      this.#cover(lba + i, bytes, true);
      this.#onFault({ fault: 'stale', lba: lba + i, blocks: 1 });
    }
  }

  #checkRoom(lba: number, blocks: number): void {
    for (let at = lba; at < lba + blocks; ) {
      const extent = this.extentAt?.(at) ?? { blocks, isMapped: true };
      if (!extent.isMapped) throw new StoreError('no-space', at * this.blockLength, 'the pool has no room');
      at += extent.blocks;
    }
  }

  #cover(lba: number, bytes: Uint8Array, isOnce: boolean): void {
    const { blockLength } = this;
    for (let at = 0; at < bytes.length; at += blockLength) {
      this.#overlays.set(lba + at / blockLength, { bytes: bytes.slice(at, at + blockLength), isOnce });
    }
  }

  #mend(lba: number, blocks: number): void {
    if (this.#overlays.size === 0) return;
    for (let i = 0; i < blocks; i++) this.#overlays.delete(lba + i);
  }

  #shownAll(lba: number, blocks: number): Uint8Array {
    const all = new Uint8Array(blocks * this.blockLength);
    for (let i = 0; i < blocks; i++) all.set(this.#shown(lba + i), i * this.blockLength);
    return all;
  }

  /** What a block shows, a copy; what is below where it cannot be read. */
  #shown(lba: number): Uint8Array {
    const bytes = new Uint8Array(this.blockLength);
    this.pristine.read(lba, 1, bytes);
    const overlay = this.#overlays.get(lba);
    if (overlay?.bytes !== undefined) bytes.set(overlay.bytes);
    return bytes;
  }
}
