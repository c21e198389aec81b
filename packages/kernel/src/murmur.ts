import { viewOf } from './bytes.js';

// An engine without a compiler looks a global up each time.
const { imul } = Math;

/** The finaliser of murmur3: every bit of the result depends on every bit of `h`. */
export function fmix32(h: number): number {
  h ^= h >>> 16;
  h = imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}

/** murmur3, 32-bit variant for x86. */
export function murmur3(bytes: Uint8Array, seed = 0): number {
  return murmur3Of(viewOf(bytes), bytes.length, seed);
}

/** The same over the first `length` bytes of a view, for whoever has one already. */
export function murmur3Of(view: DataView, length: number, seed = 0): number {
  const blocks = length & ~3;
  let h = seed;
  for (let i = 0; i < blocks; i += 4) {
    // `scramble` by hand: a call costs more than it where nothing is compiled.
    const k = imul(view.getInt32(i, true), 0xcc9e2d51);
    h ^= imul((k << 15) | (k >>> 17), 0x1b873593);
    h = (((h << 13) | (h >>> 19)) * 5 + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let i = length - 1; i >= blocks; i--) tail = (tail << 8) | view.getUint8(i);
  if (length > blocks) h ^= scramble(tail);
  return fmix32(h ^ length);
}

function scramble(k: number): number {
  k = imul(k, 0xcc9e2d51);
  return imul((k << 15) | (k >>> 17), 0x1b873593);
}
