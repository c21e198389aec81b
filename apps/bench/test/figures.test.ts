import { expect, it } from 'vitest';
import { type Figure, figureLine } from '../src/figures.js';

it.each<[Figure, string]>([
  [{ name: 'a', value: 0.5, unit: 'CPU s', bar: { atMost: 1 } }, 'at most 1: ok, 0.50 of it'],
  [{ name: 'a', value: 1, unit: 'CPU s', bar: { atMost: 1 } }, 'at most 1: ok, 1.00 of it'],
  [{ name: 'a', value: 1.5, unit: 'CPU s', bar: { atMost: 1 } }, 'at most 1: MISSED, 1.50 of it'],
  [{ name: 'a', value: 0.25, unit: 'M events', bar: { atLeast: 0.2 } }, 'at least 0.2: ok, 1.25 of it'],
  [{ name: 'a', value: 0.1, unit: 'M events', bar: { atLeast: 0.2 } }, 'at least 0.2: MISSED, 0.50 of it'],
])('%j: %s', (figure, text) => {
  expect(figureLine(figure).endsWith(` ${text}`)).toBe(true);
});

it.each([
  // value     three digits that mean something
  [0.012345, '0.0123 s'],
  [1.2345, '1.23 s'],
  [12.345, '12.3 s'],
  [123.45, '123 s'],
  [85_426, '85426 s'],
])('%d is printed as %s, without a bar where there is none', (value, text) => {
  expect(figureLine({ name: 'a', value, unit: 's' })).toMatch(new RegExp(`^ {2}a +${text}$`));
});
