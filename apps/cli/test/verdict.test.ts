import type { Violation } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Exit, verdictOf } from '../src/verdict.js';

const BROKEN: Violation = { invariant: 'S9', at: 1, nodes: [1], message: 'two partitions are quorate' };

it.each([
  // reason      violations  scenario content  verdict      exit code
  ['ended', [], true, 'passed', 0],
  ['ended', [], false, 'liveness', 2],
  ['ended', [BROKEN], true, 'safety', 1],
  ['violation', [BROKEN], false, 'safety', 1],
  ['exception', [], false, 'exception', 5],
  ['diverged', [], false, 'determinism', 3],
  ['exception', [BROKEN], false, 'safety', 1],
  ['gone', [], false, 'exception', 5],
  ['idle', [], false, 'liveness', 2],
  ['livelock', [], false, 'liveness', 2],
  ['time', [], false, 'budget', 6],
  ['events', [], false, 'budget', 6],
  ['stopped', [], false, 'budget', 6],
] as const)('stopped by %s with violations %j, content %s: %s', (reason, violations, isOk, verdict, code) => {
  expect(verdictOf({ reason, violations, isOk })).toBe(verdict);
  expect(Exit[verdict]).toBe(code);
});
