import { describe, expect, it } from 'vitest';
import { EventHash } from '../src/event-hash.js';

describe('the event hash', () => {
  it.each([
    [[], 'a49912c61528d96c'],
    [[1], 'bd8621f9aabc898c'],
    [[1, 2, 3], '34efba2d6d94331b'],
  ])('of %j', (words, digest) => {
    const hash = new EventHash();
    for (const word of words) hash.word(word);
    expect(hash.digest()).toBe(digest);
  });
});
