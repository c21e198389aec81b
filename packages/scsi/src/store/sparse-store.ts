import { type BlockStore, PAGE_BYTES, type StoreExtent, type StorePage } from './block-store.js';
import { isZero, pagesOf } from './store-pages.js';

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
  #base: BlockStore | undefined;
  /** Pages written here, by number. The last page of the store may be used in part. `NO_ROOM` hides one of the base. */
  readonly #pages = new Map<number, Uint8Array<ArrayBuffer>>();
  /** Blocks of pages that are there which were unmapped since, a bit each; pages without any are left out. */
  readonly #holes = new Map<number, number>();
  #mapped = 0;

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
    if (base !== undefined) this.#mapped = base.mappedBlocks ?? base.blocks;
  }

  /** Number of pages written here, not counting the base. */
  get allocatedPages(): number {
    let pages = 0;
    for (const page of this.#pages.values()) if (page !== NO_ROOM) pages += 1;
    return pages;
  }

  /** With a base that does not tell: as if all of its blocks had room. */
  get mappedBlocks(): number {
    return this.#mapped;
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
      if (this.#holes.size > 0) this.#fillHoles(page, start, length);
      offset += length;
      at += length;
    }
  }

  flush(): void {}

  /** A page of which all blocks are unmapped takes no room any more. */
  unmap(lba: number, blocks: number): void {
    this.#checkRange(lba, blocks, blocks * this.blockLength);
    if (blocks === this.blocks) return this.#unmapAll();
    const end = (lba + blocks) * this.blockLength;
    for (let offset = lba * this.blockLength; offset < end; ) {
      const page = Math.floor(offset / PAGE_BYTES);
      const start = offset - page * PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - start, end - offset);
      this.#unmapIn(page, start, length);
      offset += length;
    }
  }

  /** A block has room when its page has, and it was not unmapped since. Looks over at most 256 MiB. */
  extentAt(lba: number, most: number = Infinity): StoreExtent {
    this.#checkRange(lba, 1, this.blockLength);
    const perPage = PAGE_BYTES / this.blockLength;
    const isMapped = this.#isMapped(lba);
    const limit = Math.min(this.blocks, lba + Math.min(most, EXTENT_PAGES * perPage));
    let end = lba + 1;
    while (end < limit && this.#isMapped(end) === isMapped) {
      const isWhole = end % perPage === 0 && !this.#holes.has(end / perPage);
      end += isWhole ? perPage : 1;
    }
    return { blocks: Math.min(end, limit) - lba, isMapped };
  }

  /** The whole content, base included. Equal contents give equal pages, whatever was written on the way there. */
  *pages(): Iterable<StorePage> {
    const own = [...this.#pages.keys()].sort((a, b) => a - b);
    let next = 0;
    for (const below of this.#base === undefined ? [] : pagesOf(this.#base)) {
      const page = below.offset / PAGE_BYTES;
      while (next < own.length && own[next]! < page) yield* this.#ownPage(own[next++]!);
      if (next < own.length && own[next] === page) yield* this.#ownPage(own[next++]!);
      else yield below;
    }
    while (next < own.length) yield* this.#ownPage(own[next++]!);
  }

  #isMapped(lba: number): boolean {
    const offset = lba * this.blockLength;
    const page = Math.floor(offset / PAGE_BYTES);
    const bytes = this.#pages.get(page);
    if (bytes === undefined) return this.#base !== undefined && (this.#base.extentAt?.(lba, 1).isMapped ?? true);
    return bytes !== NO_ROOM && ((this.#holes.get(page) ?? 0) & this.#bits(offset - page * PAGE_BYTES, 1)) === 0;
  }

  #unmapIn(page: number, start: number, length: number): void {
    const bytes = this.#pages.get(page);
    if (bytes === NO_ROOM || (bytes === undefined && this.#base === undefined)) return;
    const used = Math.min(PAGE_BYTES, this.blocks * this.blockLength - page * PAGE_BYTES);
    const holes = (this.#holes.get(page) ?? 0) | this.#bits(start, length);
    this.#mapped -= this.#mappedIn(page);
    if (holes === this.#bits(0, used)) return this.#drop(page);
    this.#pageOf(page, 0).fill(0, start, start + length);
    this.#holes.set(page, holes);
    this.#mapped += this.#mappedIn(page);
  }

  #drop(page: number): void {
    this.#holes.delete(page);
    if (this.#base === undefined) this.#pages.delete(page);
    else this.#pages.set(page, NO_ROOM);
  }

  #unmapAll(): void {
    this.#pages.clear();
    this.#holes.clear();
    this.#base = undefined;
    this.#mapped = 0;
  }

  #fillHoles(page: number, start: number, length: number): void {
    const holes = this.#holes.get(page);
    if (holes === undefined) return;
    const left = holes & ~this.#bits(start, length);
    this.#mapped -= this.#mappedIn(page);
    if (left === 0) this.#holes.delete(page);
    else this.#holes.set(page, left);
    this.#mapped += this.#mappedIn(page);
  }

  /** A bit for each block that begins in those bytes of a page, the first block of the page in bit 0. */
  #bits(start: number, length: number): number {
    const first = start / this.blockLength;
    const count = Math.ceil(length / this.blockLength);
    return ((1 << count) - 1) << first;
  }

  *#ownPage(page: number): Iterable<StorePage> {
    const offset = page * PAGE_BYTES;
    const used = Math.min(PAGE_BYTES, this.blocks * this.blockLength - offset);
    const bytes = this.#pages.get(page)!.subarray(0, used);
    if (!isZero(bytes)) yield { offset, bytes };
  }

  /** Blocks of a page that have room. */
  #mappedIn(page: number): number {
    const first = (page * PAGE_BYTES) / this.blockLength;
    const end = Math.min(this.blocks, first + PAGE_BYTES / this.blockLength);
    let count = 0;
    for (let lba = first; lba < end; lba++) if (this.#isMapped(lba)) count += 1;
    return count;
  }

  /** The page to write into, which has room from now on. */
  #pageForWriting(page: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#pages.get(page);
    if (bytes !== undefined && bytes !== NO_ROOM) return bytes;
    this.#mapped -= this.#mappedIn(page);
    const made = this.#pageOf(page, length);
    this.#mapped += this.#mappedIn(page);
    return made;
  }

  /** The page to change; its old content is only fetched when `length` leaves some of it. */
  #pageOf(page: number, length: number): Uint8Array<ArrayBuffer> {
    let bytes = this.#pages.get(page);
    if (bytes !== undefined && bytes !== NO_ROOM) return bytes;
    const isHidden = bytes === NO_ROOM;
    bytes = new Uint8Array(PAGE_BYTES);
    if (length < PAGE_BYTES && !isHidden) {
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

/** Stands for a page that was unmapped over a base: it reads as zeros and takes no room. */
const NO_ROOM: Uint8Array<ArrayBuffer> = new Uint8Array(PAGE_BYTES);

/** Pages that `extentAt` looks over. */
const EXTENT_PAGES = 65_536;
