import { describe, expect, it } from 'vitest';
import { type RecordedCase, recordedCases } from '../src/conformance/index.js';
import { vectors } from './vectors.js';

function groupOf({ name }: RecordedCase): string {
  return /^tables\/[\w-]+|^\w+/.exec(name)![0];
}

const cases = recordedCases(vectors);

/** A node comes or goes 3 840 times, each time in a whole cluster: every 61st is enough here. */
const SAMPLED = 'tables/domain-transitions';
const SAMPLE = 61;

describe('the original did the same', () => {
  const groups = [...new Set(cases.map(groupOf))];
  it.each(groups.filter((group) => group.startsWith('tables')))('%s', (group) => {
    const rows = cases.filter((each) => groupOf(each) === group);
    const compared = group === SAMPLED ? rows.filter((_, i) => i % SAMPLE === 0) : rows;
    const different = compared.flatMap((each) => each.differences().map((text) => `${each.name}: ${text}`));
    expect(different).toEqual([]);
  });

  it.each(cases.filter((each) => !groupOf(each).startsWith('tables')).map((each) => [each.name, each] as const))(
    '%s',
    (_name, each) => expect(each.differences()).toEqual([]),
  );
});
