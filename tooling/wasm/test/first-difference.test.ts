import { SECOND } from '@quorate/kernel';
import { firstDifference, type Mark } from '@quorate/wasm';
import { expect, it } from 'vitest';

const marks = (...hashes: readonly string[]): Mark[] =>
  hashes.map((hash, i) => ({ at: (i + 1) * SECOND, events: 10 * i, hash }));

it.each([
  // one        other             where they part
  ['a b c', 'a b c', undefined],
  ['a b c', 'a x y', 'by 2 s 10 events, hash b and by 2 s 10 events, hash x'],
  ['a b', 'a b c', 'nothing and by 3 s 20 events, hash c'],
])('%s and %s', (one, other, difference) => {
  expect(firstDifference(marks(...one.split(' ')), marks(...other.split(' ')))).toBe(difference);
});
