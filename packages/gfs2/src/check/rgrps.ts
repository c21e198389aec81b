import { BLKST, type BlockState, countStates, findState, setState, stateAt, wordsOf } from '../bitmap.js';
import { type BitmapSpan, bitmapSpans } from '../ondisk/bitmap-layout.js';
import type { Dinode } from '../ondisk/dinode.js';
import { isMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import {
  decodeRgrpHeader,
  encodeRgrpHeader,
  isRgrpCrcRight,
  type RgrpHeader,
  rindexCopyOf,
} from '../ondisk/rgrp-header.js';
import type { RindexEntry } from '../ondisk/rindex.js';
import type { Fix } from './fix.js';
import type { CheckImage } from './image.js';

/** A resource group under check: its bitmap as it is, and as it should be by all that refers to blocks in it. */
export class CheckedRgrp {
  readonly rindex: RindexEntry;
  readonly header: RgrpHeader;
  /** Blocks in each state, by the bitmap. */
  readonly counts: [number, number, number, number] = [0, 0, 0, 0];
  readonly #spans: readonly BitmapSpan[];
  /** The bitmap on disk, block by block. */
  readonly #words: readonly Int32Array[];
  /** The rebuilt bitmap without the blocks' headers; made with the first block referred to. */
  #rebuilt: Int32Array | undefined = undefined;

  constructor(rindex: RindexEntry, header: RgrpHeader, spans: readonly BitmapSpan[], words: readonly Int32Array[]) {
    this.rindex = rindex;
    this.header = header;
    this.#spans = spans;
    this.#words = words;
    for (const [i, { offset, bytes }] of spans.entries()) {
      countStates(words[i]!, 4 * offset, 4 * (offset + bytes), this.counts);
    }
  }

  /** Notes that something refers to a block. False when something else does already. */
  mark(block: number, state: BlockState): boolean {
    this.#rebuilt ??= new Int32Array((this.rindex.bitbytes + 3) >> 2);
    const offset = block - this.rindex.data0;
    if (stateAt(this.#rebuilt, offset) !== BLKST.FREE) return false;
    setState(this.#rebuilt, offset, state);
    return true;
  }

  /** State of a data block in the bitmap on disk. */
  stateOf(block: number): BlockState {
    const offset = block - this.rindex.data0;
    const i = this.#spans.findIndex(({ start, bytes }) => offset < 4 * (start + bytes));
    const { offset: at, start } = this.#spans[i]!;
    return stateAt(this.#words[i]!, offset + 4 * (at - start)) as BlockState;
  }

  /** Whether nothing was found that refers to the block. */
  isUnclaimed(block: number): boolean {
    return this.#rebuilt === undefined || stateAt(this.#rebuilt, block - this.rindex.data0) === BLKST.FREE;
  }

  /** Calls `visit` with each block that the bitmap on disk has in that state. */
  forEachInState(state: BlockState, visit: (block: number) => void): void {
    if (this.counts[state] === 0) return;
    for (const [i, { offset, start, bytes }] of this.#spans.entries()) {
      const words = this.#words[i]!;
      const end = 4 * (offset + bytes);
      const first = this.rindex.data0 + 4 * (start - offset);
      for (let p = findState(words, 4 * offset, end, state); p < end; p = findState(words, p + 1, end, state)) {
        visit(first + p);
      }
    }
  }

  /** The bitmap bytes of the header block and each further one as they should be, and where they stand in it. */
  rebuiltBytes(): readonly { readonly offset: number; readonly bytes: Uint8Array }[] {
    const rebuilt = new Uint8Array((this.#rebuilt ?? new Int32Array((this.rindex.bitbytes + 3) >> 2)).buffer);
    return this.#spans.map(({ offset, start, bytes }) => ({ offset, bytes: rebuilt.subarray(start, start + bytes) }));
  }

  /** Calls `visit` with each block whose state on disk is not the rebuilt one. */
  forEachDifference(visit: (block: number, onDisk: number, rebuilt: number) => void): void {
    const rebuilt = this.#rebuilt ?? EMPTY;
    for (const [i, { offset, start, bytes }] of this.#spans.entries()) {
      const words = this.#words[i]!;
      for (let w = 0; w < (bytes + 3) >> 2; w++) {
        const want = rebuilt[(start >> 2) + w] ?? 0;
        const have = words[(offset >> 2) + w]!;
        if (want === have) continue;
        for (let pair = 0; pair < 16; pair++) {
          const onDisk = (have >>> (2 * pair)) & 3;
          const should = (want >>> (2 * pair)) & 3;
          const k = 4 * start + 16 * w + pair;
          if (onDisk !== should && k < 4 * (start + bytes)) visit(this.rindex.data0 + k, onDisk, should);
        }
      }
    }
  }
}

const EMPTY = new Int32Array(0);

/** All resource groups of the image, by block. */
export class CheckedRgrps {
  readonly all: readonly CheckedRgrp[];

  constructor(rgrps: readonly CheckedRgrp[]) {
    this.all = rgrps;
  }

  /** The group among whose data blocks that one is. */
  find(block: number): CheckedRgrp | undefined {
    let low = 0;
    for (let high = this.all.length; low < high; ) {
      const middle = (low + high) >> 1;
      const rgrp = this.all[middle]!;
      const { data0, data } = rgrp.rindex;
      if (block >= data0 && block < data0 + data) return rgrp;
      if (block < data0) high = middle;
      else low = middle + 1;
    }
    return undefined;
  }
}

/**
 * The rindex pass: entries in order and without overlap, lengths that fit their bitmaps, headers and bitmap blocks of
 * their types, checksums, copies, and counts equal to the bitmaps. Gives the groups that can be used.
 */
export function checkRgrps(image: CheckImage, entries: readonly RindexEntry[], rindex?: Dinode): CheckedRgrps {
  const rgrps: CheckedRgrp[] = [];
  const rebuild: Fix | undefined = rindex && ((fixer) => fixer.rebuildRindex(rindex, entries));
  let end = image.geometry.superblock + 1;
  for (const entry of entries) {
    if (entry.addr < end) {
      const message = `resource group at ${entry.addr} begins before block ${end}, where the one before it ends`;
      image.report('rindex', 'rindex-order', entry.addr, message, rebuild);
      continue;
    }
    const rgrp = checkRgrp(image, entry, rebuild);
    if (rgrp === undefined) continue;
    rgrps.push(rgrp);
    end = entry.data0 + entry.data;
  }
  return new CheckedRgrps(rgrps);
}

function checkRgrp(image: CheckImage, entry: RindexEntry, rebuild: Fix | undefined): CheckedRgrp | undefined {
  const { addr, length, data0, data, bitbytes } = entry;
  const spans = length > MAX_RGRP_LENGTH ? undefined : bitmapSpans(image.geometry, entry);
  const isPlausible = data0 === addr + length && data > 0 && data === 4 * bitbytes && data0 + data <= image.blocks;
  if (spans === undefined || !isPlausible) {
    const text = `${length} blocks of header and bitmap for ${data} of data from ${data0}`;
    image.report('rindex', 'rindex-entry', addr, `resource group at ${addr} has ${text}`, rebuild);
    return undefined;
  }
  const blocks = spans.map((_, i) => image.read(addr + i, new Uint8Array(image.geometry.blockSize))!);
  const header = decodeRgrpHeader(blocks[0]!);
  if (header === undefined) {
    image.report('rindex', 'rgrp-header', addr, `block ${addr} is not the header of a resource group`, (fixer) =>
      fixer.restoreBitmap(entry, 0),
    );
    return undefined;
  }
  checkHeader(image, entry, blocks[0]!);
  for (let i = 1; i < length; i++) {
    if (isMetaBlock(blocks[i]!, META_TYPE.RB)) continue;
    image.report('rindex', 'rgrp-bitmap', addr + i, `block ${addr + i} is not part of a bitmap`, (fixer) =>
      fixer.restoreBitmap(entry, i),
    );
    return undefined;
  }
  return checkCounts(image, new CheckedRgrp(entry, header, spans, blocks.map(wordsOf)));
}

function checkHeader(image: CheckImage, entry: RindexEntry, block: Uint8Array): void {
  const { addr, data0, data, bitbytes } = entry;
  const rewrite: Fix = (fixer) =>
    fixer.patch(addr, (bytes) => encodeRgrpHeader(plausible(decodeRgrpHeader(bytes)!), entry, bytes));
  if (!isRgrpCrcRight(block)) {
    image.report('rindex', 'rgrp-crc', addr, `the checksum of the resource group header at ${addr} is wrong`, rewrite);
  }
  const copy = rindexCopyOf(block);
  // Kernels before the copy existed left zeros.
  if (copy.data0 === 0 && copy.data === 0 && copy.bitbytes === 0) return;
  if (copy.data0 !== data0 || copy.data !== data || copy.bitbytes !== bitbytes) {
    const text = `${copy.data} blocks from ${copy.data0}, rindex ${data} from ${data0}`;
    image.report('rindex', 'rgrp-copy', addr, `the resource group header at ${addr} says ${text}`, rewrite);
  }
}

/** Flags and generations of a header that is not to be trusted. */
function plausible(header: RgrpHeader): RgrpHeader {
  const isCounted = Number.isSafeInteger(header.igeneration);
  return { ...header, flags: header.flags & 0x1f, igeneration: isCounted ? header.igeneration : 1 };
}

function checkCounts(image: CheckImage, rgrp: CheckedRgrp): CheckedRgrp {
  const { counts, header } = rgrp;
  const dinodes = counts[BLKST.DINODE] + counts[BLKST.UNLINKED];
  if (header.free !== counts[BLKST.FREE] || header.dinodes !== dinodes) {
    const text = `${header.free} free blocks and ${header.dinodes} dinodes, the bitmap ${counts[BLKST.FREE]} and ${dinodes}`;
    image.report('reconcile', 'rgrp-counts', rgrp.rindex.addr, `the resource group header counts ${text}`, (fixer) =>
      fixer.patch(rgrp.rindex.addr, (bytes) =>
        encodeRgrpHeader({ ...header, free: counts[BLKST.FREE], dinodes }, rgrp.rindex, bytes),
      ),
    );
  }
  return rgrp;
}

/** A group of 2 GiB in blocks of 512 bytes needs fewer bitmap blocks than this. */
const MAX_RGRP_LENGTH = 2149;
