import { expect, it } from 'vitest';
import { growth } from '../src/growth.js';

it.each([
  // values                      last third over first third
  [[2, 2, 2], 1],
  [[1, 9, 2], 2],
  [[2, 2, 9, 9, 3, 3], 1.5],
  [[2, 2, 9, 9, 9, 3, 3], 1.5],
  [[4, 4, 1, 2, 2, 2], 0.5],
])('%j grows to %d of what it was', (values, expected) => {
  expect(growth(values)).toBe(expected);
});

it('two values have no thirds', () => {
  expect(() => growth([1, 2])).toThrow(RangeError);
});
