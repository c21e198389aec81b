import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { chaos } from './chaos.js';

const DECADES = isThorough ? 40 : 4;

describe('no rule breaks whatever happens to a membership, and quiet brings everybody together', () => {
  it.each(Array.from({ length: DECADES }, (_, i) => ({ from: i * 10, to: i * 10 + 9 })))(
    'seeds $from to $to',
    ({ from, to }) => {
      for (let seed = from; seed <= to; seed++) expect(chaos(seed).violations, `seed ${seed}`).toEqual([]);
    },
  );
});
