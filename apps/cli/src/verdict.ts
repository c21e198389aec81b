import { type EndedRun, type Verdict, verdictOf as verdictOfSimulated } from '@quorate/simulator';
import type { StopReason as WorkersStopReason } from '@quorate/workers';

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

/** What either driver says of a run that is over. */
export interface EndedStoryRun extends Omit<EndedRun, 'reason'> {
  readonly reason: EndedRun['reason'] | WorkersStopReason;
}

/** A worker that is gone is an exception, a run that was stopped has no verdict of its own. */
export function verdictOf({ reason, ...run }: EndedStoryRun): Verdict {
  if (reason === 'gone') return verdictOfSimulated({ ...run, reason: 'exception' });
  return verdictOfSimulated({ ...run, reason: reason === 'stopped' ? 'time' : reason });
}
