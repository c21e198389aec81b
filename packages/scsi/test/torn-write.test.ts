import type { Choices } from '@quorate/kernel';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tornRuns } from '../src/torn-write.js';

/** The runs of a write of so many blocks for these outcomes, and how often the world was asked. */
function torn(blocks: number, outcomes: Readonly<Record<string, number>>): { text: string; asked: number } {
  let asked = 0;
  const choices: Choices = {
    choose: (kind, n) => {
      asked += 1;
      return Math.min(outcomes[kind] ?? 0, n - 1);
    },
    happens: () => false,
    exponential: () => 0,
  };
  const text = tornRuns(choices, blocks)
    .map((run) => `${run.first}+${run.blocks}`)
    .join(' ');
  return { text, asked };
}

it.each([
  ['the tame outcome', 8, {}, ''],
  ['its first blocks', 8, { torn: 3 }, '0+3'],
  ['its last blocks', 8, { torn: 3, 'torn-shape': 1 }, '5+3'],
  ['all but one', 8, { torn: 99 }, '0+7'],
  ['one block: all or nothing', 1, { torn: 99 }, ''],
  ['what has no blocks', 0, { torn: 99 }, ''],
] as const)('a torn write leaves %s', (_what, blocks, outcomes, expected) => {
  expect(torn(blocks, outcomes).text).toBe(expected);
});

it('any of its blocks: as many as were drawn, in ascending runs that do not touch, and every set of them can be', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(400), fc.nat(65_535), (blocks, count, pattern) => {
      const { text, asked } = torn(blocks, { torn: count, 'torn-shape': 2, 'torn-pattern': pattern });
      const runs = text === '' ? [] : text.split(' ').map((run) => run.split('+').map(Number) as [number, number]);
      expect(runs.reduce((sum, [, length]) => sum + length, 0)).toBe(Math.min(count, blocks - 1));
      for (const [i, [first, length]] of runs.entries()) {
        if (i > 0) expect(first).toBeGreaterThan(runs[i - 1]![0] + runs[i - 1]![1]);
        expect(first + length).toBeLessThanOrEqual(blocks);
      }
      expect(asked).toBeLessThanOrEqual(3);
    }),
  );
  const sets = new Set<string>();
  for (let pattern = 0; pattern < 300; pattern++) {
    sets.add(torn(6, { torn: 3, 'torn-shape': 2, 'torn-pattern': pattern }).text);
  }
  // 6 over 3.
  expect(sets.size).toBe(20);
});
