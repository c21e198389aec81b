/**
 * Search kernels for allocation bitmaps: two bits a block, lowest bits first.
 *
 * They work on signed 32-bit words of a whole bitmap block, sixteen blocks a word, and count positions in pairs of bits
 * from the first byte of that block: the bitmap of a header block starts at pair 512, of a further block at pair 96. Every
 * engine this runs on stores words little-endian, so pair `p` is bits `2 (p & 15)` of word `p >> 4`.
 */

/** State of a block in the bitmap (`GFS2_BLKST_…`). */
export const BLKST = {
  FREE: 0,
  /** Data, indirect block, leaf, xattr: whatever is not a dinode. */
  USED: 1,
  /** A dinode without links that somebody may still have open. */
  UNLINKED: 2,
  DINODE: 3,
} as const;

export type BlockState = (typeof BLKST)[keyof typeof BLKST];

/** The low bit of each pair. */
const LOW = 0x5555_5555;

/** The lower two of four bits, and the lower four of a byte. */
const PAIRS = 0x3333_3333;
const FOURS = 0x0f0f_0f0f;

/** What turns a state into 0 by exclusive or, in every pair of a word. */
const PATTERN: readonly number[] = [0, LOW, 0xaaaa_aaaa | 0, -1];

/** Words over the memory of a block. @throws {RangeError} unless the block starts and ends at multiples of four. */
export function wordsOf(block: Uint8Array): Int32Array {
  return new Int32Array(block.buffer, block.byteOffset, block.byteLength / 4);
}

/** State of the pair at `p`. */
export function stateAt(words: Int32Array, p: number): number {
  return (words[p >> 4]! >>> ((p & 15) << 1)) & 3;
}

/** Sets the pair at `p`. */
export function setState(words: Int32Array, p: number, state: number): void {
  const shift = (p & 15) << 1;
  words[p >> 4] = (words[p >> 4]! & ~(3 << shift)) | (state << shift);
}

/** Sets the pairs [from, to). */
export function fillState(words: Int32Array, from: number, to: number, state: number): void {
  const value = PATTERN[state]!;
  const first = from >> 4;
  const last = to >> 4;
  const head = -1 << ((from & 15) << 1);
  const tail = ~(-1 << ((to & 15) << 1));
  if (first === last) {
    merge(words, first, head & tail, value);
    return;
  }
  merge(words, first, head, value);
  words.fill(value, first + 1, last);
  if (tail !== 0) merge(words, last, tail, value);
}

/** First pair in [from, to) that is free; `to` when there is none. */
export function findFree(words: Int32Array, from: number, to: number): number {
  if (from >= to) return to;
  let i = from >> 4;
  const last = (to - 1) >> 4;
  let w = words[i]!;
  let hits = ~(w | (w >>> 1)) & LOW & (-1 << ((from & 15) << 1));
  if (hits === 0) {
    i += 1;
    // A word without a free pair has a bit in every pair; four such words still do after all four are tested.
    for (; i + 3 <= last; i += 4) {
      const a = words[i]!;
      const b = words[i + 1]!;
      const c = words[i + 2]!;
      const d = words[i + 3]!;
      if (((a | (a >>> 1)) & (b | (b >>> 1)) & (c | (c >>> 1)) & (d | (d >>> 1)) & LOW) !== LOW) break;
    }
    for (; i <= last; i++) {
      w = words[i]!;
      hits = ~(w | (w >>> 1)) & LOW;
      if (hits !== 0) break;
    }
  }
  return hits === 0 ? to : clamp(i, hits, to);
}

/** First pair in [from, to) that is not free; `to` when there is none. */
export function findUsed(words: Int32Array, from: number, to: number): number {
  if (from >= to) return to;
  let i = from >> 4;
  const last = (to - 1) >> 4;
  let hits = words[i]! & (-1 << ((from & 15) << 1));
  if (hits === 0) {
    i += 1;
    for (; i + 3 <= last; i += 4) if ((words[i]! | words[i + 1]! | words[i + 2]! | words[i + 3]!) !== 0) break;
    for (; i <= last; i++) {
      hits = words[i]!;
      if (hits !== 0) break;
    }
  }
  return hits === 0 ? to : clamp(i, hits, to);
}

/** First pair in [from, to) in that state; `to` when there is none. */
export function findState(words: Int32Array, from: number, to: number, state: number): number {
  if (state === BLKST.FREE) return findFree(words, from, to);
  if (from >= to) return to;
  const pattern = PATTERN[state]!;
  const last = (to - 1) >> 4;
  let mask = LOW & (-1 << ((from & 15) << 1));
  for (let i = from >> 4; i <= last; i++) {
    const w = words[i]!;
    if (w !== 0) {
      const x = w ^ pattern;
      const hits = ~(x | (x >>> 1)) & mask;
      if (hits !== 0) return clamp(i, hits, to);
    }
    mask = LOW;
  }
  return to;
}

/** Blocks free, used, unlinked, dinodes: by `BLKST`. */
type StateCounts = [number, number, number, number];

/** How many pairs of [from, to) are in each state; adds to `counts`. */
export function countStates(words: Int32Array, from: number, to: number, counts: StateCounts): void {
  if (from >= to) return;
  counts[BLKST.FREE] += to - from;
  const first = from >> 4;
  const last = (to - 1) >> 4;
  const head = -1 << ((from & 15) << 1);
  // Of the last word what is not behind the end: all of it when the word ends there.
  const tail = -1 >>> (30 - (((to - 1) & 15) << 1));
  if (first === last) {
    countWord(words[first]! & head & tail, counts);
    return;
  }
  countWord(words[first]! & head, counts);
  for (let i = countBySix(words, first + 1, last, counts); i < last; i++) countWord(words[i]!, counts);
  countWord(words[last]! & tail, counts);
}

/**
 * Counts six words at a time, as long as they end before `end`. Where it stopped.
 *
 * What three words have adds up to 3 at most in each pair of bits; two such sums and their neighbours to 12 in four bits; these and
 * their neighbours to 24 in a byte, and that ten times.
 */
function countBySix(words: Int32Array, start: number, end: number, counts: StateCounts): number {
  let i = start;
  while (i + 6 <= end) {
    let lows = 0;
    let highs = 0;
    let boths = 0;
    for (const stop = Math.min(end - 5, i + 60); i < stop; i += 6) {
      const a = words[i]!;
      const b = words[i + 1]!;
      const c = words[i + 2]!;
      const d = words[i + 3]!;
      const e = words[i + 4]!;
      const f = words[i + 5]!;
      lows = (lows + bytesOf(lowsOf(a, b, c), lowsOf(d, e, f))) | 0;
      highs = (highs + bytesOf(highsOf(a, b, c), highsOf(d, e, f))) | 0;
      boths = (boths + bytesOf(bothsOf(a, b, c), bothsOf(d, e, f))) | 0;
    }
    addStates(sumOf(lows), sumOf(highs), sumOf(boths), counts);
  }
  return i;
}

function countWord(word: number, counts: StateCounts): void {
  const low = word & LOW;
  const high = (word >>> 1) & LOW;
  addStates(sumOf(bytesOf(low, 0)), sumOf(bytesOf(high, 0)), sumOf(bytesOf(low & high, 0)), counts);
}

/** So many pairs have the low bit, the high one, and both; they were taken for free ones. */
function addStates(low: number, high: number, both: number, counts: StateCounts): void {
  counts[BLKST.FREE] -= low + high - both;
  counts[BLKST.USED] += low - both;
  counts[BLKST.UNLINKED] += high - both;
  counts[BLKST.DINODE] += both;
}

/** In each pair of bits, how many of the words have its low bit. */
function lowsOf(a: number, b: number, c: number): number {
  return ((a & LOW) + (b & LOW) + (c & LOW)) | 0;
}

function highsOf(a: number, b: number, c: number): number {
  return lowsOf(a >>> 1, b >>> 1, c >>> 1);
}

function bothsOf(a: number, b: number, c: number): number {
  return lowsOf(a & (a >>> 1), b & (b >>> 1), c & (c >>> 1));
}

/** In each byte, the sum of its pairs of bits in both words. */
function bytesOf(a: number, b: number): number {
  const fours = (a & PAIRS) + ((a >>> 2) & PAIRS) + (b & PAIRS) + ((b >>> 2) & PAIRS);
  return (fours & FOURS) + ((fours >>> 4) & FOURS);
}

/** The sum of four bytes. */
function sumOf(bytes: number): number {
  return Math.imul((bytes & 0x00ff_00ff) + ((bytes >>> 8) & 0x00ff_00ff), 0x0001_0001) >>> 16;
}

/** Position of the lowest hit of word `i`, or `to` when it lies behind the end. */
function clamp(i: number, hits: number, to: number): number {
  const p = (i << 4) + ((31 - Math.clz32(hits & -hits)) >> 1);
  return Math.min(p, to);
}

function merge(words: Int32Array, i: number, mask: number, value: number): void {
  words[i] = (words[i]! & ~mask) | (value & mask);
}
