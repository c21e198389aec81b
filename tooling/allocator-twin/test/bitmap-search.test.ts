import { countStates, findFree } from '@quorate/gfs2/allocator';
import { Prng } from '@quorate/kernel';
import { describe, expect, it, vi } from 'vitest';
import { type BitmapSearch, type Engine, findRun, newBitmapSearch } from '../src/index.js';

const { Module, Instance, CompileError } = WebAssembly;
const withoutVectors: Engine = { Module, Instance, CompileError, validate: () => false };
const forbidden: Engine = {
  ...{ Instance, CompileError, validate: () => true },
  Module: class {
    constructor() {
      throw new CompileError('violates the content security policy');
    }
  },
};

/** Bytes of a bitmap: less than a vector, odd words around one step of vectors, to the end of a page of memory and past it. */
const SIZES = [4, 16, 60, 64, 68, 192, 1028, 65_536 - 64, 65_536];

/** A word of which every pair is in that state. */
const wordOf = (state: number): number => (state * 0x5555_5555) | 0;

/** What `words` is filled with, one after the other. */
function* fillings(words: Int32Array, prng: Prng): Generator<string> {
  for (const state of [0, 1, 2, 3]) {
    words.fill(wordOf(state));
    yield `all of them ${state}`;
  }
  for (let round = 0; round < 6; round++) {
    words.fill(wordOf(1 + prng.below(3)));
    const pair = round === 0 ? 16 * words.length - 1 : prng.below(16 * words.length);
    words[pair >> 4]! &= ~(3 << (2 * (pair & 15)));
    yield `${pair} is free`;
  }
  for (let round = 0; round < 6; round++) {
    words.fill(0);
    const pair = round === 0 ? 0 : prng.below(16 * words.length);
    words[pair >> 4]! |= (1 + prng.below(3)) << (2 * (pair & 15));
    yield `all but ${pair} are free`;
  }
  for (let round = 0; round < 6; round++) {
    words.fill(wordOf(1 + prng.below(3)));
    free(words, prng.below(16 * words.length), 28 + prng.below(8));
    yield 'a run of about 32 is free';
  }
  for (let round = 0; round < 12; round++) {
    fillAtRandom(words, prng);
    yield `at random, ${round}`;
  }
}

function free(words: Int32Array, from: number, count: number): void {
  for (let pair = from; pair < Math.min(from + count, 16 * words.length); pair++) {
    words[pair >> 4]! &= ~(3 << (2 * (pair & 15)));
  }
}

/** Pairs in all states, or runs of them. */
function fillAtRandom(words: Int32Array, prng: Prng): void {
  const longest = 4 ** prng.below(5);
  let left = 0;
  let state = 0;
  words.fill(0);
  for (let pair = 0; pair < 16 * words.length; pair++) {
    if (left === 0) {
      left = 1 + prng.below(longest);
      state = prng.below(4);
    }
    words[pair >> 4]! |= state << (2 * (pair & 15));
    left -= 1;
  }
}

/** All of the bitmap, nothing, and what ends near a word, a step of vectors or anywhere. */
function* ranges(pairs: number, prng: Prng): Generator<[from: number, to: number]> {
  yield [0, pairs];
  yield [pairs >> 1, pairs >> 1];
  for (let i = 0; i < 24; i++) {
    const step = [1, 16, 64, 256][i & 3]!;
    const near = (): number => Math.min(Math.max(step * prng.below(pairs / step + 1) + prng.below(3) - 1, 0), pairs);
    yield [near(), near()];
  }
}

/** What JavaScript finds in every filling, and what the search does. */
function compare(search: BitmapSearch, prng: Prng): void {
  const { words } = search;
  for (const filling of fillings(words, prng)) {
    for (const [from, to] of ranges(16 * words.length, prng)) {
      const name = `${filling}, [${from}, ${to}) of ${16 * words.length}`;
      expect(search.findFree(from, to), name).toBe(findFree(words, from, to));
      for (const length of [31, 32, 33, 100]) {
        expect(search.findRun(from, to, length), `${name}: ${length}`).toBe(findRun(words, from, to, length));
      }
      const counts = { ours: [1, 2, 3, 4], theirs: [1, 2, 3, 4] } as Record<string, [number, number, number, number]>;
      search.countStates(from, to, counts.ours!);
      countStates(words, from, to, counts.theirs!);
      expect(counts.ours, name).toEqual(counts.theirs);
    }
  }
}

describe('the module finds and counts what JavaScript does', () => {
  it.each(SIZES)('in %i bytes', (bytes) => {
    const search = newBitmapSearch(bytes);
    expect(search.isWasm).toBe(true);
    compare(search, new Prng(1, 2, 3, bytes));
  });
});

it.each([
  ['there is no engine', undefined],
  ['an engine has no vectors', withoutVectors],
  ['a policy forbids modules', forbidden],
])('JavaScript searches where %s', (_, engine) => {
  if (engine === undefined) vi.stubGlobal('WebAssembly', undefined);
  const search = newBitmapSearch(1028, engine);
  vi.unstubAllGlobals();
  expect(search.isWasm).toBe(false);
  compare(search, new Prng(1, 2, 3, 4));
});

it('a run is found as by looking at every block', () => {
  const prng = new Prng(5, 6, 7, 8);
  const words = new Int32Array(24);
  const isFree = (pair: number): boolean => ((words[pair >> 4]! >>> (2 * (pair & 15))) & 3) === 0;
  for (const filling of fillings(words, prng)) {
    for (const [from, to] of ranges(16 * words.length, prng)) {
      let found = to;
      for (let pair = from, length = 0; pair < to && found === to; pair++) {
        length = isFree(pair) ? length + 1 : 0;
        if (length === 32) found = pair - 31;
      }
      expect(findRun(words, from, to, 32), `${filling}, [${from}, ${to})`).toBe(found);
    }
  }
});
