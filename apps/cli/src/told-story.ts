import { type Nanos, SECOND, type Seed, type Violation } from '@quorate/kernel';
import type { StoryResult } from '@quorate/lab';
import type { BlockStore, StorePage } from '@quorate/scsi';
import { seedText } from '@quorate/simulator';
import type { StoryRun } from './run-record.js';
import { type EndedStoryRun, verdictOf } from './verdict.js';

/** LUN of the disk that has the shared file system. */
const SHARED_LUN = 0;

export interface ToldStory {
  readonly run: StoryRun;
  /** Pages of the shared disk as the run left it. */
  readonly pages: Iterable<StorePage>;
}

/** A run of the story that is over: what both drivers say of it. */
export interface EndedStory {
  readonly reason: EndedStoryRun['reason'];
  /** What the script ended with. */
  readonly result: unknown;
  readonly at: Nanos;
  readonly events: number;
  readonly violations: readonly Violation[];
  readonly exception: string | undefined;
  /** A worker that is gone. */
  readonly gone?: { readonly worker: string; readonly reason: string; readonly message: string } | undefined;
}

/** What only the driver knows. */
export interface Telling extends Pick<StoryRun, 'driver' | 'images' | 'traceHash' | 'checked' | 'idle' | 'lostSlices'> {
  readonly seed: Seed;
  readonly cpu: NodeJS.CpuUsage;
  readonly stores: ReadonlyMap<number, BlockStore>;
}

export function toldStory(ended: EndedStory, { seed, cpu, stores, ...known }: Telling): ToldStory {
  const story = ended.result as StoryResult | undefined;
  return {
    run: {
      ...known,
      seed: seedText(seed),
      verdict: verdictOf({ ...ended, isOk: story?.ok === true }),
      story,
      virtualSeconds: ended.at / SECOND,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      events: ended.events,
      violations: ended.violations,
      trouble: troubleOf(ended),
    },
    pages: stores.get(SHARED_LUN)?.pages?.() ?? [],
  };
}

function troubleOf({ reason, at, exception, gone }: EndedStory): string | undefined {
  if (reason === 'ended' || reason === 'violation') return undefined;
  const when = `the run stopped at ${(at / SECOND).toFixed(3)} s`;
  if (gone !== undefined) return `${when}: worker ${gone.worker} ${gone.reason}: ${gone.message}`;
  return `${when}: ${exception ?? reason}`;
}
