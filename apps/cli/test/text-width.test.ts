import { describe, expect, it } from 'vitest';
import { clip, widthOf, wrap } from '../src/views/text-width.js';

const RED = '\u001b[31m';
const PLAIN = '\u001b[39m';

it('escapes take no columns', () => {
  expect(widthOf(`${RED}▪▪${PLAIN} ab`)).toBe(5);
});

describe('a text is cut to its columns', () => {
  it.each([
    // text               columns  clipped
    ['short', 5, 'short'],
    ['longer', 5, 'long…'],
    ['longer', 1, '…'],
    ['longer', 0, ''],
    [`${RED}longer${PLAIN}`, 6, `${RED}longer${PLAIN}`],
    [`${RED}longer${PLAIN}`, 4, `${RED}lon…\u001b[0m`],
  ])('%j at %i', (text, columns, expected) => {
    expect(clip(text, columns)).toBe(expected);
  });
});

describe('a text is broken between words', () => {
  it.each([
    ['one two three', 7, '', ['one two', 'three']],
    ['  one two three', 9, '    ', ['  one two', '    three']],
    ['unbreakable', 4, '', ['unbreakable']],
    ['', 4, '', ['']],
  ])('%j at %i', (text, columns, indent, expected) => {
    expect(wrap(text, columns, indent)).toEqual(expected);
  });
});
