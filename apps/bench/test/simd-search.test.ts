import { BLKST, countStates, findFree } from '@quorate/gfs2/allocator';
import { Prng } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { newSearch, type WordSearch } from '../../../tooling/simd-search.js';

const WORDS = 256;

/** Pairs in every state, long runs of taken ones among them. */
function fill(words: Int32Array, prng: Prng): void {
  const density = prng.below(4);
  for (let i = 0; i < words.length; i++) {
    let word = 0;
    for (let pair = 0; pair < 16; pair++) {
      const isFree = prng.below(10 ** density) === 0;
      word |= (isFree ? 0 : 1 + prng.below(3)) << (2 * pair);
    }
    words[i] = word;
  }
}

function compare({ words, find, countFree }: WordSearch): void {
  const prng = new Prng(1, 2, 3, 4);
  for (let round = 0; round < 200; round++) {
    fill(words, prng);
    const counts: [number, number, number, number] = [0, 0, 0, 0];
    countStates(words, 0, 16 * WORDS, counts);
    expect(countFree()).toBe(counts[BLKST.FREE]);
    for (let i = 0; i < 20; i++) {
      const from = prng.below(16 * WORDS);
      const to = i === 0 ? 16 * WORDS : prng.below(16 * WORDS + 1);
      expect(find(from, to)).toBe(findFree(words, from, to));
    }
  }
}

it('the search in WebAssembly finds and counts what the one in JavaScript does', () => {
  const search = newSearch(4 * WORDS);
  expect(search.isWasm).toBe(true);
  compare(search);
});

it('where an engine refuses it, JavaScript searches', () => {
  const search = newSearch(4 * WORDS, { ...WebAssembly, validate: () => false });
  expect(search.isWasm).toBe(false);
  compare(search);
});
