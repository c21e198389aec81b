import type { Violation } from '@quorate/kernel';
import type { StopReason } from '@quorate/simulator';
import type { StopReason as WorkersStopReason } from '@quorate/workers';

/** What became of a run. */
export type Verdict = 'passed' | 'safety' | 'liveness' | 'determinism' | 'exception' | 'budget';

/** Exit codes of the command; 7 is for a canary that passed, and there is none yet. */
export const Exit = {
  passed: 0,
  safety: 1,
  liveness: 2,
  determinism: 3,
  usage: 4,
  exception: 5,
  budget: 6,
} as const satisfies Record<Verdict | 'usage', number>;

/** What a driver says of a run that is over. */
export interface EndedRun {
  readonly reason: StopReason | WorkersStopReason;
  readonly violations: readonly Violation[];
  /** The scenario saw everything that it expected. */
  readonly isOk: boolean;
}

/** A violated invariant outweighs whatever else went wrong; a machine that stands still has failed to get on. */
export function verdictOf({ reason, violations, isOk }: EndedRun): Verdict {
  if (violations.length > 0) return 'safety';
  switch (reason) {
    case 'ended':
      return isOk ? 'passed' : 'liveness';
    case 'violation':
      return 'safety';
    case 'diverged':
      return 'determinism';
    case 'exception':
    case 'gone':
      return 'exception';
    case 'idle':
    case 'livelock':
      return 'liveness';
    case 'time':
    case 'events':
    case 'stopped':
      return 'budget';
  }
}
