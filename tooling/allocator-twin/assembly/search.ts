/**
 * The searches in an allocation bitmap, `findFree` and `countStates` of @quorate/gfs2/allocator and `findRun` of this package, in
 * AssemblyScript: two bits a block, lowest bits first, 64 bytes a step in vectors of 128 bits.
 *
 * offset size content of the memory
 *      0   16 counts of blocks that are free, used, unlinked, dinodes: 32 bits each
 *     64    – bitmap
 */
const COUNTS: usize = 0;
const BITMAP: usize = 64;

/** The low bit of each pair. */
const LOW: u32 = 0x5555_5555;

/** First pair in [from, to) that is free; `to` when there is none. */
export function findFree(from: i32, to: i32): i32 {
  if (from >= to) return to;
  const last = wordOf(to - 1);
  let at = wordOf(from);
  let hits = freeOf(load<u32>(at)) & (-1 << ((from & 15) << 1));
  if (hits === 0) {
    at = pastTaken(at + 4, last);
    for (; at <= last; at += 4) {
      hits = freeOf(load<u32>(at));
      if (hits !== 0) break;
    }
  }
  return hits === 0 ? to : min(pairOf(at) + (ctz<i32>(hits) >> 1), to);
}

/** First pair of the first run of `length` free ones in [from, to), 31 or more: it has a whole word. `to` when there is none. */
export function findRun(from: i32, to: i32, length: i32): i32 {
  if (from >= to) return to;
  const last = wordOf(to - 1);
  for (let at = wordOf(from); at <= last; at += 4) {
    at = pastMixed(at, last);
    if (at > last || load<u32>(at) !== 0) continue;
    let start = pairOf(at);
    if (start > from) start -= clz<i32>(load<u32>(at - 4)) >> 1;
    start = max(start, from);
    do at += 4;
    while (at <= last && load<u32>(at) === 0);
    const end = at > last ? to : min(pairOf(at) + (ctz<i32>(load<u32>(at)) >> 1), to);
    if (end - start >= length) return start;
  }
  return to;
}

/** Counts the pairs of [from, to) by their states. */
export function countStates(from: i32, to: i32): void {
  v128.store(COUNTS, i32x4(max(to - from, 0), 0, 0, 0));
  if (from >= to) return;
  const last = wordOf(to - 1);
  let at = wordOf(from);
  const head = -1 << ((from & 15) << 1);
  // Of the last word what is not behind the end, all of it when the end is its own.
  const tail = -1 >>> (30 - (((to - 1) & 15) << 1));
  if (at === last) {
    countWord(load<u32>(at) & head & tail);
    return;
  }
  countWord(load<u32>(at) & head);
  at = countVectors(at + 4, last);
  for (; at < last; at += 4) countWord(load<u32>(at));
  countWord(load<u32>(last) & tail);
}

/** The first address from `at` on whose 64 bytes have a free pair, or where no 64 are left before the end of the word at `last`. */
function pastTaken(at: usize, last: usize): usize {
  const low = i8x16.splat(0x55);
  for (; at + 60 <= last; at += 64) {
    const taken = v128.and(v128.and(takenOf(at), takenOf(at + 16)), v128.and(takenOf(at + 32), takenOf(at + 48)));
    if (v128.any_true(v128.andnot(low, taken))) break;
  }
  return at;
}

/** The first address from `at` on whose 64 bytes have a word of free pairs alone, or where no 64 are left. */
function pastMixed(at: usize, last: usize): usize {
  for (; at + 60 <= last; at += 64) {
    const least = i32x4.min_u(
      i32x4.min_u(v128.load(at), v128.load(at + 16)),
      i32x4.min_u(v128.load(at + 32), v128.load(at + 48)),
    );
    if (!i32x4.all_true(least)) break;
  }
  return at;
}

/** Counts six vectors at a time, as long as they end before `last`; where it stopped. */
function countVectors(at: usize, last: usize): usize {
  const bits = i8x16.splat(0x55);
  while (at + 96 <= last) {
    let lows = i8x16.splat(0);
    let highs = i8x16.splat(0);
    let boths = i8x16.splat(0);
    // Each byte grows by at most 24 a turn.
    const stop = min(last - 95, at + 960);
    for (; at < stop; at += 96) {
      let low = i8x16.splat(0);
      let high = i8x16.splat(0);
      let both = i8x16.splat(0);
      for (let half: usize = 0; half < 96; half += 48) {
        const a = v128.load(at + half);
        const b = v128.load(at + half + 16);
        const c = v128.load(at + half + 32);
        const aLow = v128.and(a, bits);
        const bLow = v128.and(b, bits);
        const cLow = v128.and(c, bits);
        const aHigh = v128.and(i32x4.shr_u(a, 1), bits);
        const bHigh = v128.and(i32x4.shr_u(b, 1), bits);
        const cHigh = v128.and(i32x4.shr_u(c, 1), bits);
        low = i8x16.add(low, nibblesOf(i8x16.add(i8x16.add(aLow, bLow), cLow)));
        high = i8x16.add(high, nibblesOf(i8x16.add(i8x16.add(aHigh, bHigh), cHigh)));
        const aBoth = v128.and(aLow, aHigh);
        both = i8x16.add(both, nibblesOf(i8x16.add(i8x16.add(aBoth, v128.and(bLow, bHigh)), v128.and(cLow, cHigh))));
      }
      lows = i8x16.add(lows, bytesOf(low));
      highs = i8x16.add(highs, bytesOf(high));
      boths = i8x16.add(boths, bytesOf(both));
    }
    addStates(sumOf(lows), sumOf(highs), sumOf(boths));
  }
  return at;
}

function countWord(word: u32): void {
  const low = word & LOW;
  const high = (word >> 1) & LOW;
  addStates(popcnt<i32>(low), popcnt<i32>(high), popcnt<i32>(low & high));
}

/** So many pairs have the low bit, the high one, and both; they were taken for free ones. */
function addStates(low: i32, high: i32, both: i32): void {
  add(0, both - low - high);
  add(1, low - both);
  add(2, high - both);
  add(3, both);
}

function add(state: usize, count: i32): void {
  store<i32>(COUNTS + 4 * state, load<i32>(COUNTS + 4 * state) + count);
}

/** The sums of two neighbours of two bits each. */
function nibblesOf(pairs: v128): v128 {
  const mask = i8x16.splat(0x33);
  return i8x16.add(v128.and(pairs, mask), v128.and(i32x4.shr_u(pairs, 2), mask));
}

/** The sums of two neighbours of four bits each. */
function bytesOf(nibbles: v128): v128 {
  const mask = i8x16.splat(0x0f);
  return i8x16.add(v128.and(nibbles, mask), v128.and(i32x4.shr_u(nibbles, 4), mask));
}

/** The sum of 16 bytes. */
function sumOf(bytes: v128): i32 {
  const words = i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(bytes));
  const half = i32x4.add(words, i64x2.shuffle(words, words, 1, 0));
  return i32x4.extract_lane(half, 0) + i32x4.extract_lane(half, 1);
}

/** The low bit of each pair that is free: neither of its bits is set. */
function freeOf(word: u32): u32 {
  return ~(word | (word >> 1)) & LOW;
}

/** The low bit of each pair that is taken, and other bits. */
function takenOf(at: usize): v128 {
  const vector = v128.load(at);
  return v128.or(vector, i32x4.shr_u(vector, 1));
}

/** Address of the word that a pair is in. */
function wordOf(pair: i32): usize {
  return BITMAP + ((<usize>pair >> 4) << 2);
}

/** First pair of the word at that address. */
function pairOf(at: usize): i32 {
  return <i32>((at - BITMAP) << 2);
}
