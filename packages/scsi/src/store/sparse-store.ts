import { type BlockStore, PAGE_BYTES, type StorePage } from './block-store.js';

export interface SparseStoreOptions {
  /** Size in blocks; taken from `base` when left out. */
  readonly blocks?: number;
  /** 512 (the default) or 4096; taken from `base` when there is one. */
  readonly blockLength?: number;
  /**
   * What reads as long as it was not overwritten here. Never written through this store, so that many stores share one;
   * it must not change while they do.
   */
  readonly base?: BlockStore;
}

/**
 * A store in memory that allocates what is written, in pages of 4 KiB, over an optional base (copy on write).
 *
 * Its size costs nothing: 100 GB with a formatted file system take what the file system wrote. Reading it beside the
 * target, as a checker does, has no effect on anything.
 */
export class SparseStore implements BlockStore {
  readonly blocks: number;
  readonly blockLength: number;
  readonly #base: BlockStore | undefined;
  /** Pages written here, by number. The last page of the store may be used in part. */
  readonly #pages = new Map<number, Uint8Array<ArrayBuffer>>();

  /** @throws {RangeError} when there is no size, the block length is neither 512 nor 4096, or the base differs in either. */
  constructor(options: SparseStoreOptions) {
    const { base } = options;
    const blocks = options.blocks ?? base?.blocks ?? 0;
    const blockLength = options.blockLength ?? base?.blockLength ?? 512;
    if (blockLength !== 512 && blockLength !== 4096) throw new RangeError(`blockLength ${blockLength}: 512 or 4096`);
    if (!Number.isSafeInteger(blocks * blockLength) || blocks <= 0) throw new RangeError(`${blocks} blocks`);
    if (base !== undefined && (base.blocks !== blocks || base.blockLength !== blockLength)) {
      throw new RangeError(`base of ${base.blocks} × ${base.blockLength}, store of ${blocks} × ${blockLength}`);
    }
    this.blocks = blocks;
    this.blockLength = blockLength;
    this.#base = base;
  }

  /** Number of pages written here, not counting the base. */
  get allocatedPages(): number {
    return this.#pages.size;
  }

  read(lba: number, blocks: number, into: Uint8Array): void {
    this.#checkRange(lba, blocks, into.length);
    const end = (lba + blocks) * this.blockLength;
    let offset = lba * this.blockLength;
    let at = 0;
    while (offset < end) {
      const page = Math.floor(offset / PAGE_BYTES);
      const start = offset - page * PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - start, end - offset);
      const bytes = this.#pages.get(page);
      if (bytes !== undefined) into.set(length === PAGE_BYTES ? bytes : bytes.subarray(start, start + length), at);
      else this.#readBase(offset, length, into, at);
      offset += length;
      at += length;
    }
  }

  /** Bytes of one page that was written here. */
  lend(lba: number, blocks: number): Uint8Array | undefined {
    const offset = lba * this.blockLength;
    const length = blocks * this.blockLength;
    const page = Math.floor(offset / PAGE_BYTES);
    const start = offset - page * PAGE_BYTES;
    if (start + length > PAGE_BYTES || lba > this.blocks - blocks) return undefined;
    const bytes = this.#pages.get(page);
    return bytes === undefined || length === PAGE_BYTES ? bytes : bytes.subarray(start, start + length);
  }

  write(lba: number, bytes: Uint8Array): void {
    this.#checkRange(lba, bytes.length / this.blockLength, bytes.length);
    let offset = lba * this.blockLength;
    let at = 0;
    while (at < bytes.length) {
      const page = Math.floor(offset / PAGE_BYTES);
      const start = offset - page * PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - start, bytes.length - at);
      const part = length === bytes.length ? bytes : bytes.subarray(at, at + length);
      this.#pageForWriting(page, length).set(part, start);
      offset += length;
      at += length;
    }
  }

  flush(): void {}

  /** The whole content, base included. Equal contents give equal pages, whatever was written on the way there. */
  *pages(): Iterable<StorePage> {
    const own = [...this.#pages.keys()].sort((a, b) => a - b);
    let next = 0;
    for (const below of this.#base === undefined ? [] : basePages(this.#base)) {
      const page = below.offset / PAGE_BYTES;
      while (next < own.length && own[next]! < page) yield* this.#ownPage(own[next++]!);
      if (next < own.length && own[next] === page) yield* this.#ownPage(own[next++]!);
      else yield below;
    }
    while (next < own.length) yield* this.#ownPage(own[next++]!);
  }

  *#ownPage(page: number): Iterable<StorePage> {
    const offset = page * PAGE_BYTES;
    const used = Math.min(PAGE_BYTES, this.blocks * this.blockLength - offset);
    const bytes = this.#pages.get(page)!.subarray(0, used);
    if (!isZero(bytes)) yield { offset, bytes };
  }

  /** The page to write into; its old content is only fetched when `length` leaves some of it. */
  #pageForWriting(page: number, length: number): Uint8Array<ArrayBuffer> {
    let bytes = this.#pages.get(page);
    if (bytes !== undefined) return bytes;
    bytes = new Uint8Array(PAGE_BYTES);
    if (length < PAGE_BYTES) {
      const offset = page * PAGE_BYTES;
      this.#readBase(offset, Math.min(PAGE_BYTES, this.blocks * this.blockLength - offset), bytes, 0);
    }
    this.#pages.set(page, bytes);
    return bytes;
  }

  #readBase(offset: number, length: number, into: Uint8Array, at: number): void {
    if (this.#base === undefined) into.fill(0, at, at + length);
    else this.#base.read(offset / this.blockLength, length / this.blockLength, into.subarray(at, at + length));
  }

  #checkRange(lba: number, blocks: number, bytes: number): void {
    if (!Number.isInteger(lba) || !Number.isInteger(blocks) || lba < 0 || blocks < 0 || lba > this.blocks - blocks) {
      throw new RangeError(`blocks ${lba} + ${blocks} of ${this.blocks}`);
    }
    if (bytes < blocks * this.blockLength) throw new RangeError(`${bytes} bytes for ${blocks} blocks`);
  }
}

function basePages(base: BlockStore): Iterable<StorePage> {
  return base.pages === undefined ? readPages(base) : base.pages();
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

function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
