import { expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { storm } from './storm.js';

it('no storm of deaths, splits and failing agents breaks a rule', () => {
  const seeds = Array.from({ length: isThorough ? 300 : 30 }, (_, i) => i + 1);
  const broken = seeds.flatMap((seed) => {
    const [violation] = storm(seed).checker.violations;
    return violation === undefined ? [] : [`seed ${seed}: ${violation.invariant}: ${violation.message}`];
  });
  expect(broken).toEqual([]);
});
