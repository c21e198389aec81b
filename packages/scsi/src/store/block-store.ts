/**
 * Where a logical unit keeps its blocks: memory here, a VHDX file or a browser's file system elsewhere.
 *
 * Calls are synchronous and never fail for what an initiator did: the target checks every range first. A range outside
 * the store is the caller's bug and throws RangeError. What the store itself cannot do is a `StoreError`.
 */
export interface BlockStore {
  /** Size in blocks. Who changes it tells the target, with `capacity-changed`, before anything else. */
  readonly blocks: number;
  /** Bytes per block: 512 or 4096. */
  readonly blockLength: number;
  /** Fills the first `blocks` × `blockLength` bytes of `into`. */
  read(lba: number, blocks: number, into: Uint8Array): void;
  /** The same bytes without a copy, where they lie together; valid until the store is next written. */
  lend?(lba: number, blocks: number): Uint8Array | undefined;
  /** Copies whole blocks in. */
  write(lba: number, bytes: Uint8Array): void;
  /** Whether what was written can be lost until the next `flush`; initiators are told so, and flush (WCE). */
  readonly hasWriteCache?: boolean;
  /** Makes what was written durable. */
  flush(): void;
  /** Gives the blocks' room back; they read as zero from then on. A store that has this can be a thin unit. */
  unmap?(lba: number, blocks: number): void;
  /**
   * Whether the blocks from `lba` on have room, and how many of them (at least one) are alike in that. Who asks for no more
   * than `most` blocks may be told of more.
   */
  extentAt?(lba: number, most?: number): StoreExtent;
  /** Blocks that have room. A thin unit on a store that tells it has thresholds. */
  readonly mappedBlocks?: number | undefined;
  /** What is not zero, in ascending order; left out by a store that cannot tell without reading everything. */
  pages?(): Iterable<StorePage>;
}

/** A run of blocks that all have room in the store, or all have none and read as zero. */
export interface StoreExtent {
  readonly blocks: number;
  readonly isMapped: boolean;
}

/** A piece of a store's content, for images and their hashes. */
export interface StorePage {
  /** In bytes from the start of the store. */
  readonly offset: number;
  /** At most `PAGE_BYTES`, not all zero. Aliases the store: valid until it is next written. */
  readonly bytes: Uint8Array;
}

/** Granularity of `pages()` and of copy on write. */
export const PAGE_BYTES = 4096;
