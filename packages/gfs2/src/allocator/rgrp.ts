import { viewOf } from '@quorate/kernel';
import { BLKST, type BlockState, fillState, findFree, findState, findUsed, stateAt, wordsOf } from '../bitmap.js';
import { type BitmapSpan, bitmapIndexOf, bitmapSpans } from '../ondisk/bitmap-layout.js';
import type { Geometry } from '../ondisk/geometry.js';
import { isMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { decodeRgrpHeader, encodeRgrpHeader, RGF } from '../ondisk/rgrp-header.js';
import type { RindexEntry } from '../ondisk/rindex.js';
import { FreeRuns } from './free-runs.js';
import type { Reservation } from './reservation.js';

/** Flags of a resource group that live in memory only (`GFS2_RDF_…`). */
export const RDF = {
  /** There may be unlinked dinodes that nobody has open any more. */
  CHECK: 0x1000_0000,
  /** Its bitmap contradicted itself: nothing is allocated here. */
  ERROR: 0x4000_0000,
  /** This node is to allocate here before it goes elsewhere. */
  PREFERRED: 0x8000_0000,
} as const;

/** What a resource group tells its file system. */
export interface RgrpHost {
  /**
   * Block `index` of the group's header and bitmap (0 is the header) is about to change: it belongs into the open
   * transaction. Called more than once for a block.
   */
  willChange(rgrp: Rgrp, index: number): void;
  /** The bitmap or the counts contradict what is asked of them. Must not return: the file system withdraws. */
  inconsistent(rgrp: Rgrp, text: string): never;
}

/** One block of the bitmap in memory (`gfs2_bitmap`). Offsets count blocks from the group's first data block. */
export class BitmapBlock {
  /** First data block described here, and the first one that is not. */
  readonly first: number;
  readonly end: number;
  /** Adds to an offset to make it a position in the words. */
  readonly #shift: number;
  #words: Int32Array;
  /** Keeps blocks taken whose release is not durable yet; searches and allocations go by it (`bi_clone`). */
  #clone: Int32Array | undefined = undefined;
  readonly #runs: FreeRuns;
  /** No free block here (`GBF_FULL`). */
  isFull = false;

  constructor(span: BitmapSpan, block: Uint8Array, runs: FreeRuns) {
    this.#runs = runs;
    this.first = 4 * span.start;
    this.end = this.first + 4 * span.bytes;
    this.#shift = 4 * span.offset - this.first;
    this.#words = wordsOf(block);
  }

  /** State of a block as it will be on disk. */
  stateOf(offset: number): number {
    return stateAt(this.#words, offset + this.#shift);
  }

  /** First block from `offset` on, below `limit`, that may be allocated; the lesser of `limit` and `end` when there is none. */
  findFree(offset: number, limit: number = this.end): number {
    const to = Math.min(limit, this.end) + this.#shift;
    return findFree(this.#clone ?? this.#words, offset + this.#shift, to) - this.#shift;
  }

  /** First block from `offset` on, below `limit`, that may not be allocated; the lesser of `limit` and `end` when all may. */
  findUsed(offset: number, limit: number): number {
    const to = Math.min(limit, this.end) + this.#shift;
    return findUsed(this.#clone ?? this.#words, offset + this.#shift, to) - this.#shift;
  }

  /** First block from `offset` on in that state on disk; `end` when there is none. */
  findState(offset: number, state: BlockState): number {
    return findState(this.#words, offset + this.#shift, this.end + this.#shift, state) - this.#shift;
  }

  /** Takes free blocks, in the clone too. */
  take(from: number, to: number, state: BlockState): void {
    fillState(this.#words, from + this.#shift, to + this.#shift, state);
    if (this.#clone !== undefined) fillState(this.#clone, from + this.#shift, to + this.#shift, state);
    this.#runs.taken(from, to);
  }

  /** Frees blocks again that were taken just now: searches see it at once. */
  giveBack(from: number, to: number): void {
    this.take(from, to, BLKST.FREE);
    this.isFull = false;
    this.#runs.givenBack(from, to);
  }

  /** Gives blocks another state which no search sees before `release`. */
  change(from: number, to: number, state: BlockState): void {
    this.#clone ??= this.#words.slice();
    fillState(this.#words, from + this.#shift, to + this.#shift, state);
    if (state === BLKST.FREE) this.#runs.freed(from, to);
  }

  /** Runs that `release` makes free: first block, and the first one behind it. */
  *freed(): Generator<readonly [from: number, to: number], void, undefined> {
    const clone = this.#clone;
    if (clone === undefined) return;
    const [first, limit] = [this.first + this.#shift, this.end + this.#shift];
    for (let at = findFree(this.#words, first, limit); at < limit; at = findFree(this.#words, at, limit)) {
      const end = findUsed(this.#words, at, limit);
      for (at = findUsed(clone, at, end); at < end; at = findUsed(clone, at, end)) {
        const to = findFree(clone, at, end);
        yield [at - this.#shift, to - this.#shift];
        at = to;
      }
    }
  }

  /** What was changed is durable: searches may see it. False when nothing was. */
  release(): boolean {
    if (this.#clone === undefined) return false;
    this.#clone = undefined;
    this.isFull = false;
    return true;
  }
}

/**
 * A resource group in memory (`gfs2_rgrpd`): the counts of its header, its bitmap, and who has reserved what in it.
 *
 * Its blocks are the caller's: it changes their bytes in place, and says so before. They are there while the caller has
 * the group's glock; the reservations live on without them.
 *
 * Source: Linux 6.1 fs/gfs2/rgrp.c, incore.h.
 */
export class Rgrp {
  readonly rindex: RindexEntry;
  readonly #geometry: Geometry;
  readonly #spans: readonly BitmapSpan[];
  #header: Uint8Array | undefined = undefined;
  #headerView: DataView | undefined = undefined;
  /** The bitmap's blocks; empty while they are not in memory. */
  bits: readonly BitmapBlock[] = [];
  /** `RGF` bits as on disk, `RDF` bits beside them. */
  flags = 0;
  free = 0;
  dinodes = 0;
  skip = 0;
  igeneration = 0;
  /** Free blocks whose release is durable (`rd_free_clone`). */
  freeClone = 0;
  /** Blocks in the tree of reservations (`rd_requested`). */
  requested = 0;
  /** Blocks promised to callers who have not allocated them yet (`rd_reserved`). */
  reserved = 0;
  /** Offset of the last allocation: where a search without a goal starts. */
  lastAlloc = 0;
  /** No free extent is longer: searches for more fail (`rd_extfail_pt`). */
  extfailPt = 0;
  /** Reservations in the order of their first block (`rd_rstree`). */
  readonly reservations: Reservation[] = [];
  /** Where no long runs of free blocks are. */
  readonly runs: FreeRuns;

  /** @throws {RangeError} when the record's length does not fit its bitmap; see `bitmapSpans`. */
  constructor(geometry: Geometry, rindex: RindexEntry) {
    const spans = bitmapSpans(geometry, rindex);
    if (spans === undefined)
      throw new RangeError(`resource group ${rindex.addr} cannot be ${rindex.length} blocks long`);
    this.#geometry = geometry;
    this.#spans = spans;
    this.rindex = rindex;
    this.runs = new FreeRuns(rindex.data);
  }

  /** First block, the header; also the number of its glock. */
  get addr(): number {
    return this.rindex.addr;
  }

  /** Whether header and bitmap are in memory. */
  get isAttached(): boolean {
    return this.#header !== undefined;
  }

  /** Whether a data block of the group, its header or its bitmap has that number. */
  contains(block: number): boolean {
    return block >= this.rindex.addr && block < this.rindex.data0 + this.rindex.data;
  }

  /** Whether a data block of the group has that number (`rgrp_contains_block`). */
  hasData(block: number): boolean {
    return block >= this.rindex.data0 && block < this.rindex.data0 + this.rindex.data;
  }

  /**
   * Takes the header and bitmap blocks as read from disk (`gfs2_rgrp_bh_get`). They must start at multiples of four bytes
   * in their memory. False when one is not what it should be: then nothing has changed.
   */
  attach(blocks: readonly Uint8Array[]): boolean {
    const header = blocks[0] === undefined ? undefined : decodeRgrpHeader(blocks[0]);
    if (header === undefined || blocks.length !== this.rindex.length) return false;
    if (!blocks.every((block, i) => i === 0 || isMetaBlock(block, META_TYPE.RB))) return false;
    this.#header = blocks[0];
    this.#headerView = undefined;
    this.bits = this.#spans.map((span, i) => new BitmapBlock(span, blocks[i]!, this.runs));
    this.runs.clear();
    this.flags = (header.flags | (this.flags & RDF.PREFERRED) | RDF.CHECK) >>> 0;
    this.free = header.free;
    this.dinodes = header.dinodes;
    this.skip = header.skip;
    this.igeneration = header.igeneration;
    this.freeClone = header.free;
    this.extfailPt = header.free;
    return true;
  }

  /** Forgets the blocks: another node may change them (`rgrp_go_inval`). */
  detach(): void {
    this.#header = undefined;
    this.#headerView = undefined;
    this.bits = [];
  }

  /** Writes the counts into the header block (`gfs2_rgrp_out`). */
  out(host: RgrpHost): void {
    if (this.#header === undefined) throw new RangeError(`resource group ${this.addr} is not in memory`);
    host.willChange(this, 0);
    this.#headerView ??= viewOf(this.#header);
    encodeRgrpHeader(this, this.rindex, this.#header, this.#headerView);
  }

  /** Index of the bitmap block that describes the data block at `offset`. */
  indexOf(offset: number): number {
    return bitmapIndexOf(this.#geometry, offset);
  }

  /** State of a data block as it will be on disk. */
  stateOf(block: number): number {
    const offset = block - this.rindex.data0;
    return this.bits[this.indexOf(offset)]!.stateOf(offset);
  }

  /** Unlinked dinodes among the data blocks from `start` on, in order (`try_rgrp_unlink` looks for them). */
  unlinkedDinodes(start: number = this.rindex.data0): number[] {
    const found: number[] = [];
    const { data0 } = this.rindex;
    for (const bi of this.bits) {
      let offset = Math.max(bi.first, start - data0);
      for (;;) {
        offset = offset >= bi.end ? bi.end : bi.findState(offset, BLKST.UNLINKED);
        if (offset === bi.end) break;
        found.push(data0 + offset);
        offset += 1;
      }
    }
    return found;
  }

  /** The flush with all changes is durable: blocks freed in it may be allocated again (`maybe_release_space`). */
  releaseClones(): void {
    let wasChanged = false;
    for (const bi of this.bits) wasChanged = bi.release() || wasChanged;
    if (!wasChanged) return;
    this.runs.release();
    this.freeClone = this.free;
    this.extfailPt = this.free;
  }

  /** Blocks that `rs` may reserve or allocate: those free, less what others have reserved (`rgd_free`). */
  usable(rs: Reservation): number {
    const others = this.requested - rs.requestedIn(this);
    return Math.max(0, this.freeClone - others);
  }

  /** Free blocks that have not been promised to anybody. */
  get available(): number {
    return this.freeClone - this.reserved;
  }

  /** Whether nothing may be allocated here. */
  get isUnusable(): boolean {
    return (this.flags & (RGF.NOALLOC | RDF.ERROR)) !== 0;
  }

  /** Marks the group as broken and has the file system withdraw (`gfs2_rgrp_error`). */
  fail(host: RgrpHost, text: string): never {
    this.flags = (this.flags | RDF.ERROR) >>> 0;
    return host.inconsistent(this, text);
  }
}
