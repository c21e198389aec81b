import type { Violation } from '@quorate/kernel';
import type { StoryResult, StoryStep } from '@quorate/lab';
import type { Verdict } from '@quorate/simulator';

/** How a run of the story ended, whichever driver ran it. */
export interface StoryRun {
  readonly driver: 'workers' | 'simulator';
  /** 16 hex digits. */
  readonly seed: string;
  /** `imageHash` of each disk as the run found it, by LUN; empty if a run broke off before it could be told. */
  readonly images: ReadonlyMap<number, string>;
  readonly verdict: Verdict;
  /** Undefined when the script did not come to its end. */
  readonly story: StoryResult | undefined;
  readonly virtualSeconds: number;
  readonly cpuSeconds: number;
  readonly events: number;
  /** Null in worker threads: no two of their runs are the same. */
  readonly traceHash: string | null;
  readonly checked: readonly string[];
  /** Those of them that had nothing to judge. */
  readonly idle: readonly string[];
  readonly violations: readonly Violation[];
  /** What kept the run from its end: an exception, a worker that is gone, a limit. */
  readonly trouble: string | undefined;
  /** Wall slices that the elastic clock lost; 0 in the simulator. */
  readonly lostSlices: number;
}

/** What `--json` writes. */
export interface RunRecord extends Pick<StoryRun, 'driver' | 'seed' | 'virtualSeconds' | 'cpuSeconds' | 'events'> {
  readonly scenario: string;
  readonly images: Readonly<Record<string, string>>;
  readonly ok: boolean;
  readonly traceHash: string | null;
  readonly steps: readonly StepRecord[];
  readonly failures: StoryResult['failures'];
  readonly invariants: Pick<StoryRun, 'checked' | 'idle' | 'violations'>;
  readonly trouble?: string;
}

type StepRecord = Pick<
  StoryStep,
  'id' | 'ownerBefore' | 'ownerAfter' | 'outageSeconds' | 'requests' | 'phases' | 'clustat'
>;

/** The record that `--json` writes. */
export function recordOf(scenario: string, run: StoryRun): RunRecord {
  return {
    scenario,
    driver: run.driver,
    seed: run.seed,
    images: Object.fromEntries(run.images),
    ok: run.verdict === 'passed',
    virtualSeconds: run.virtualSeconds,
    cpuSeconds: run.cpuSeconds,
    events: run.events,
    traceHash: run.traceHash,
    steps: (run.story?.steps ?? []).map(stepRecord),
    failures: run.story?.failures ?? [],
    invariants: { checked: run.checked, idle: run.idle, violations: run.violations },
    ...(run.trouble !== undefined && { trouble: run.trouble }),
  };
}

function stepRecord(step: StoryStep): StepRecord {
  const { id, ownerBefore, ownerAfter, outageSeconds, requests, phases, clustat } = step;
  return { id, ownerBefore, ownerAfter, outageSeconds, requests, phases, clustat };
}
