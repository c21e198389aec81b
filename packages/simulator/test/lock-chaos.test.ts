import { parseSeed, SECOND } from '@quorate/kernel';
import { LockChaos, type LockChaosResult, lockChaosTopology, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { type RunResult, Simulator } from '../src/index.js';

const topology = lockChaosTopology(administratorsPrograms);

/** Ten seconds in which things break. */
function chaos(seed: string): RunResult & { readonly reads: number } {
  const scenario = new LockChaos({ topology, chaos: 10 * SECOND });
  const simulator = new Simulator({ scenario, topology, seed: parseSeed(seed)!, invariants: stackInvariants });
  const run = simulator.run();
  return { ...run, reads: simulator.checker.counts.get('register-valid')?.times ?? 0 };
}

it.each([
  ['with a directory', '3'],
  ['without one', '9'],
])('locks under faults %s: no rule is broken, and every request ends', (_, seed) => {
  const first = chaos(seed);
  const { ok, failures, commands } = first.result as LockChaosResult;
  expect([first.violations, failures, ok]).toEqual([[], [], true]);
  expect(Math.min(commands, first.reads)).toBeGreaterThan(50);
});
