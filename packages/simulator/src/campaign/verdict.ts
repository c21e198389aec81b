import type { Violation } from '@quorate/kernel';
import type { StopReason } from '../simulator.js';

/** What became of a run. */
export type Verdict = 'passed' | 'safety' | 'liveness' | 'determinism' | 'exception' | 'budget';

/** What a driver says of a run that is over. */
export interface EndedRun {
  readonly reason: StopReason;
  readonly violations: readonly Violation[];
  /** The scenario saw everything that it expected. */
  readonly isOk: boolean;
}

/** What an exception of a machine violates. */
const THROWN: readonly string[] = ['S32', 'S34'];

/** A violated invariant outweighs whatever else went wrong; a machine that stands still has failed to get on. */
export function verdictOf({ reason, violations, isOk }: EndedRun): Verdict {
  if (violations.some(({ invariant }) => !THROWN.includes(invariant))) return 'safety';
  switch (reason) {
    case 'ended':
      return isOk ? 'passed' : 'liveness';
    case 'violation':
      return 'safety';
    case 'diverged':
      return 'determinism';
    case 'exception':
      return 'exception';
    case 'idle':
    case 'livelock':
      return 'liveness';
    case 'time':
    case 'events':
      return 'budget';
  }
}
