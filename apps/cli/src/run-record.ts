import type { Violation } from '@quorate/kernel';
import type { StoryResult, StoryStep } from '@quorate/lab';

/** How a run of the story ended, whichever driver ran it. */
export interface StoryRun {
  readonly driver: 'workers' | 'simulator';
  readonly seed: string;
  readonly story: StoryResult | undefined;
  readonly virtualSeconds: number;
  readonly cpuSeconds: number;
  readonly events: number;
  readonly traceHash: string | null;
  readonly checked: readonly string[];
  readonly violations: readonly Violation[];
  /** What kept the run from its end: an exception, a worker that is gone, a limit. */
  readonly trouble: string | undefined;
  /** Wall slices that the elastic clock lost; 0 in the simulator. */
  readonly lostSlices: number;
}

/** Every fact held and no invariant was violated. */
export function isOk(run: StoryRun): boolean {
  return run.story?.ok === true && run.violations.length === 0 && run.trouble === undefined;
}

/** The record that `--json` writes. */
export function recordOf(scenario: string, run: StoryRun): Record<string, unknown> {
  return {
    scenario,
    driver: run.driver,
    seed: run.seed,
    ok: isOk(run),
    virtualSeconds: run.virtualSeconds,
    cpuSeconds: run.cpuSeconds,
    events: run.events,
    traceHash: run.traceHash,
    steps: (run.story?.steps ?? []).map(stepRecord),
    failures: run.story?.failures ?? [],
    invariants: { checked: run.checked, violations: run.violations },
    ...(run.trouble !== undefined && { trouble: run.trouble }),
  };
}

function stepRecord(step: StoryStep): Record<string, unknown> {
  const { id, ownerBefore, ownerAfter, outageSeconds, requests, phases, clustat } = step;
  return { id, ownerBefore, ownerAfter, outageSeconds, requests, phases, clustat };
}
