import { type BitmapSearch, findRun, newBitmapSearch } from '@quorate/allocator-twin';
import { BLKST, countStates, findFree } from '@quorate/gfs2/allocator';
import { seconds } from './alone.js';

/** A bitmap, and how often it is gone through in one measured run. */
export interface Bitmap {
  readonly name: string;
  readonly bytes: number;
  readonly scans: number;
}

/** The bitmaps of one resource group of 65,536 blocks, and of a device of 128 GiB. */
export const GROUP: Bitmap = { name: '16 KiB', bytes: 16_384, scans: 20_000 };
export const DEVICE: Bitmap = { name: '8 MiB', bytes: 8 * 2 ** 20, scans: 40 };

/** The low bit of each pair. */
const LOW = 0x5555_5555;

/** GB/s of the search that the allocator has for a free block, the best of some runs. */
export function ours(bitmap: Bitmap = GROUP, runs = 15): number {
  const words = allTaken(bitmap);
  return best(bitmap, lastOf(bitmap), (end) => findFree(words, 0, end), runs);
}

export function inWebAssembly(bitmap: Bitmap): number | undefined {
  const search = wasmSearch(allTaken(bitmap));
  return search && best(bitmap, lastOf(bitmap), (end) => search.findFree(0, end));
}

export function byByte(bitmap: Bitmap): number {
  const bytes = new Uint8Array(allTaken(bitmap).buffer);
  const find = (end: number): number => {
    for (let pair = 0; pair < end; pair++) if (((bytes[pair >> 2]! >> ((pair & 3) << 1)) & 3) === 0) return pair;
    return end;
  };
  return best(less(bitmap, 20), lastOf(bitmap), find, 5);
}

export function byMask(bitmap: Bitmap): number {
  const bytes = new Uint8Array(allTaken(bitmap).buffer);
  const find = (end: number): number => {
    for (let i = 0; i < bytes.length; i++) {
      const hits = ~(bytes[i]! | (bytes[i]! >> 1)) & 0x55;
      if (hits !== 0) return 4 * i + (lowestBit(hits) >> 1);
    }
    return end;
  };
  return best(less(bitmap, 5), lastOf(bitmap), find, 5);
}

/** One word of 32 bits a step. Signed ones have a function of their own: an engine compiles for the arrays that it has seen. */
export function byUnsigned(bitmap: Bitmap): number {
  const words = new Uint32Array(allTaken(bitmap).buffer);
  const find = (end: number): number => {
    for (let i = 0; i < words.length; i++) {
      const hits = ~(words[i]! | (words[i]! >>> 1)) & LOW;
      if (hits !== 0) return 16 * i + (lowestBit(hits) >> 1);
    }
    return end;
  };
  return best(bitmap, lastOf(bitmap), find, 5);
}

export function bySigned(bitmap: Bitmap): number {
  const words = allTaken(bitmap);
  const find = (end: number): number => {
    for (let i = 0; i < words.length; i++) {
      const hits = ~(words[i]! | (words[i]! >>> 1)) & LOW;
      if (hits !== 0) return 16 * i + (lowestBit(hits) >> 1);
    }
    return end;
  };
  return best(bitmap, lastOf(bitmap), find, 5);
}

export function byBigInt(bitmap: Bitmap): number {
  const words = new BigUint64Array(allTaken(bitmap).buffer);
  const find = (end: number): number => {
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      const hits = ~(word | (word >> 1n)) & 0x5555_5555_5555_5555n;
      for (let pair = 0; hits !== 0n; pair++) if ((hits >> BigInt(2 * pair)) & 1n) return 32 * i + pair;
    }
    return end;
  };
  return best(less(bitmap, 40), lastOf(bitmap), find, 5);
}

/** The blocks in all four states counted, as the checker does. */
export function countOurs(bitmap: Bitmap = GROUP, runs = 5): number {
  const words = allTaken(bitmap);
  return best(
    less(bitmap, 4),
    1,
    freeOf((...range) => countStates(words, ...range)),
    runs,
  );
}

/** Free blocks alone, by a table of what each byte has. */
export function countByTable(bitmap: Bitmap): number {
  const bytes = new Uint8Array(allTaken(bitmap).buffer);
  const table = Uint8Array.from(
    { length: 256 },
    (_, byte) => [0, 2, 4, 6].filter((at) => ((byte >> at) & 3) === 0).length,
  );
  const count = (): number => {
    let free = 0;
    for (let i = 0; i < bytes.length; i++) free += table[bytes[i]!]!;
    return free;
  };
  return best(less(bitmap, 8), 1, count, 5);
}

export function countInWebAssembly(bitmap: Bitmap): number | undefined {
  const search = wasmSearch(allTaken(bitmap));
  return search && best(less(bitmap, 4), 1, freeOf(search.countStates));
}

/** The first 32 free blocks in a row where 85 % of the others are taken. */
export function runOf32(bitmap: Bitmap = GROUP, runs = 5): number {
  const words = mostlyTaken(bitmap);
  return best(less(bitmap, 8), 4 * bitmap.bytes - 32, (end) => findRun(words, 0, end, 32), runs);
}

export function runOf32InWebAssembly(bitmap: Bitmap): number | undefined {
  const search = wasmSearch(mostlyTaken(bitmap));
  return search && best(less(bitmap, 4), 4 * bitmap.bytes - 32, (end) => search.findRun(0, end, 32));
}

/** Undefined where the engine refuses the module. */
function wasmSearch(words: Int32Array): BitmapSearch | undefined {
  const search = newBitmapSearch(4 * words.length);
  if (!search.isWasm) return undefined;
  search.words.set(words);
  return search;
}

type Counts = [number, number, number, number];

function freeOf(count: (from: number, to: number, counts: Counts) => void): (end: number) => number {
  return (end) => {
    const counts: Counts = [0, 0, 0, 0];
    count(0, end, counts);
    return counts[BLKST.FREE];
  };
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function less(bitmap: Bitmap, divisor: number): Bitmap {
  return { ...bitmap, scans: Math.ceil(bitmap.scans / divisor) };
}

/** All pairs but the last. */
function allTaken(bitmap: Bitmap): Int32Array<ArrayBuffer> {
  const words = new Int32Array(bitmap.bytes / 4).fill(LOW);
  words[words.length - 1] = 0x1555_5555;
  return words;
}

function lastOf(bitmap: Bitmap): number {
  return 4 * bitmap.bytes - 1;
}

/** 85 of 100 pairs, and none of the last 32. The block before those is taken. */
function mostlyTaken(bitmap: Bitmap): Int32Array<ArrayBuffer> {
  const bytes = new Uint8Array(bitmap.bytes);
  let x = 1;
  for (let pair = 0; pair < 4 * bitmap.bytes - 32; pair++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    if ((x >>> 0) % 100 < 85) bytes[pair >> 2]! |= 1 << ((pair & 3) << 1);
  }
  bytes[bitmap.bytes - 9]! |= 0x40;
  return new Int32Array(bytes.buffer);
}

/** GB/s of the best of some runs of a search that has one right answer. */
function best({ bytes, scans }: Bitmap, answer: number, find: (end: number) => number, runs = 15): number {
  const end = 4 * bytes;
  let most = 0;
  for (let run = 0; run < runs; run++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < scans; i++) if (find(end) !== answer) throw new Error('wrong');
    most = Math.max(most, (scans * bytes) / seconds(start) / 1e9);
  }
  return most;
}
