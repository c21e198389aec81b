import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLKST,
  type BlockState,
  countStates,
  fillState,
  findFree,
  findState,
  findUsed,
  setState,
  stateAt,
  wordsOf,
} from '../src/bitmap.js';

// The naive models: one byte and one shift at a time, as section "bitmaps" of the format says.
const stateOf = (bytes: Uint8Array, p: number): number => (bytes[p >> 2]! >> ((p & 3) << 1)) & 3;
function naiveFind(bytes: Uint8Array, from: number, to: number, isWanted: (state: number) => boolean): number {
  for (let p = from; p < to; p++) if (isWanted(stateOf(bytes, p))) return p;
  return Math.max(from, to);
}

/** Bitmaps as they are: long runs, and now and then anything. */
const bitmap = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(0x00, 0x55, 0xff, 0xaa) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
    ),
    { minLength: 4, maxLength: 40 },
  )
  .chain((parts) => fc.integer({ min: 1, max: 9 }).map((run) => parts.flatMap((byte) => Array<number>(run).fill(byte))))
  .map((bytes) => Uint8Array.from(bytes.slice(0, bytes.length & ~3)));

const range = (bytes: Uint8Array): fc.Arbitrary<[number, number]> => {
  const position = fc.integer({ min: 0, max: 4 * bytes.length });
  return fc.tuple(position, position);
};

const searched = bitmap.chain((bytes) => range(bytes).map(([from, to]) => ({ bytes, from, to })));

describe('search kernels against a byte-wise model', () => {
  it('first free block', () => {
    fc.assert(
      fc.property(searched, ({ bytes, from, to }) => {
        fc.pre(from <= to);
        expect(findFree(wordsOf(bytes), from, to)).toBe(naiveFind(bytes, from, to, (s) => s === 0));
      }),
      { numRuns: 1000 },
    );
  });

  it('first block that is not free', () => {
    fc.assert(
      fc.property(searched, ({ bytes, from, to }) => {
        fc.pre(from <= to);
        expect(findUsed(wordsOf(bytes), from, to)).toBe(naiveFind(bytes, from, to, (s) => s !== 0));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([BLKST.FREE, BLKST.USED, BLKST.UNLINKED, BLKST.DINODE])('first block in state %i', (state) => {
    fc.assert(
      fc.property(searched, ({ bytes, from, to }) => {
        fc.pre(from <= to);
        expect(findState(wordsOf(bytes), from, to, state)).toBe(naiveFind(bytes, from, to, (s) => s === state));
      }),
      { numRuns: 500 },
    );
  });

  it('counts of all states', () => {
    fc.assert(
      fc.property(searched, ({ bytes, from, to }) => {
        fc.pre(from <= to);
        const counts: [number, number, number, number] = [0, 0, 0, 0];
        countStates(wordsOf(bytes), from, to, counts);
        const naive = [0, 0, 0, 0];
        for (let p = from; p < to; p++) naive[stateOf(bytes, p)]! += 1;
        expect(counts).toEqual(naive);
      }),
      { numRuns: 500 },
    );
  });

  it('filling a range changes it and nothing else', () => {
    fc.assert(
      fc.property(searched, fc.constantFrom<BlockState>(0, 1, 2, 3), ({ bytes, from, to }, state) => {
        fc.pre(from <= to);
        const before = bytes.slice();
        fillState(wordsOf(bytes), from, to, state);
        for (let p = 0; p < 4 * bytes.length; p++) {
          expect(stateOf(bytes, p)).toBe(p >= from && p < to ? state : stateOf(before, p));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('one block is read and set', () => {
    const bytes = new Uint8Array(16);
    const words = wordsOf(bytes);
    setState(words, 17, BLKST.DINODE);
    expect(stateAt(words, 17)).toBe(3);
    expect([...bytes]).toEqual([0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe('edges', () => {
  it('an empty range has nothing', () => {
    const words = new Int32Array(4);
    expect(findFree(words, 5, 5)).toBe(5);
    expect(findUsed(words, 64, 64)).toBe(64);
    expect(findState(words, 9, 9, BLKST.USED)).toBe(9);
  });

  it('a hit behind the end of the range does not count', () => {
    const words = new Int32Array(8).fill(0x5555_5555);
    words[5] = 0;
    expect(findFree(words, 0, 80)).toBe(80);
    expect(findFree(words, 0, 81)).toBe(80);
  });

  it('a block in memory that is not aligned is refused', () => {
    expect(() => wordsOf(new Uint8Array(new ArrayBuffer(20), 2, 16))).toThrow(RangeError);
  });
});
