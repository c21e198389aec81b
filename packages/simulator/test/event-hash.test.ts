import fc from 'fast-check';
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

  it('takes an event as its five words', () => {
    const word = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(fc.maxSafeNat(), word, word, word, (now, what, first, second) => {
        const [whole, byWords] = [new EventHash(), new EventHash()];
        whole.event(now, what, first, second);
        for (const each of [now | 0, Math.floor(now / 0x1_0000_0000), what, first, second]) byWords.word(each);
        expect(whole.digest()).toBe(byWords.digest());
      }),
    );
  });
});
