import { MILLISECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { churn, sequential } from '../src/alloc/alone.js';
import { SYNCED, work } from '../src/alloc/five-nodes.js';
import { appendFigures, directoryFigures, fullFigures, sequentialFigures } from '../src/alloc/node.js';
import { inJavaScript } from '../src/alloc/scan.js';

it('the allocator alone is measured empty and 85 % full', () => {
  expect(sequential(16, 4000)).toBeGreaterThan(0);
  expect(churn(0.85, 50)).toBeGreaterThan(0);
  expect(inJavaScript(undefined, 1)).toBeGreaterThan(0);
});

it('a node is measured, and a file on an empty volume is not in more pieces than its indirect blocks make', () => {
  const [rate, extents, journalBytes] = sequentialFigures(128, 40).map(({ value }) => value);
  expect(rate).toBeGreaterThan(0);
  expect(extents).toBeLessThanOrEqual(22);
  expect(journalBytes).toBeGreaterThan(0);
  expect(journalBytes).toBeLessThan(200);
  expect(appendFigures(100)[0]!.value).toBeGreaterThan(0);
  expect(fullFigures(30, 24)[1]!.value).toBeGreaterThan(0);
  expect(directoryFigures(300)[1]!.value).toBeGreaterThan(0);
});

it('five nodes with lock managers make files in virtual time, in resource groups of their own', () => {
  const { rate, transfersPerThousand, costs } = work(
    [1, 5],
    40 * MILLISECOND,
    { gfs2: 20_000, dlm: 10_000 },
    SYNCED,
    0,
  );
  expect(rate).toBeGreaterThan(0);
  expect(transfersPerThousand).toBe(0);
  expect(costs.gfs2).toBeGreaterThan(0);
});
