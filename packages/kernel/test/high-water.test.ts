import { expect, it } from 'vitest';
import { HighWater } from '../src/index.js';

it('tells each power of two from 16 on, once', () => {
  const mark = new HighWater();
  const sizes = [1, 15, 16, 17, 3, 31, 32, 16, 200, 255, 256];
  expect(sizes.filter((size) => mark.rises(size))).toEqual([16, 32, 200, 256]);
});
