import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../../tooling/thorough.js';
import { programs } from './arbitrary.js';
import { ModelRun } from './program.js';

/** Programs of each kind; a longer campaign is `MODEL=50000`. */
const PROGRAMS = Number(process.env.MODEL ?? (isThorough ? 1000 : 80));

describe('masters make of calls what one table of locks makes of them, in the order in which they carry them out', () => {
  it.each([
    ['without faults', 0],
    ['with nodes that crash and come back, and connections that break', 4],
  ])('%s', { timeout: 60_000 + 200 * PROGRAMS }, (_, faults) => {
    const run = fc.property(programs(faults), (program) => {
      expect(new ModelRun(program).run()).toEqual([]);
    });
    fc.assert(run, { numRuns: PROGRAMS, seed: 1 });
  });
});
