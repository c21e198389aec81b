import { type Invariant, SECOND, type Seed } from '@quorate/kernel';
import { HypervBlog, type StoryResult, type Topology } from '@quorate/lab';
import type { StorePage } from '@quorate/scsi';
import { type RunResult, type RunWatcher, Simulator } from '@quorate/simulator';
import { tuneForShortRuns } from '@quorate/simulator/node';
import { hashesOf } from './image-hashes.js';
import { seedText } from './options.js';
import type { StoryRun } from './run-record.js';
import { verdictOf } from './verdict.js';

export interface SimulatedStoryOptions {
  readonly topology: Topology;
  readonly seed: Seed;
  readonly invariants: readonly Invariant[];
  readonly watcher: RunWatcher;
  /** Kinds of facts that the watcher wants. */
  readonly watchedKinds: readonly string[];
}

export interface ToldStory {
  readonly run: StoryRun;
  /** Pages of the shared disk as the run left it. */
  readonly pages: Iterable<StorePage>;
}

/** Runs the story in the simulator. Formatting the disks is no part of its processor time. */
export function simulateStory({ topology, ...options }: SimulatedStoryOptions): ToldStory {
  tuneForShortRuns();
  topology.disks();
  const simulator = new Simulator({ ...options, scenario: new HypervBlog(topology), topology });
  const before = process.cpuUsage();
  const result = simulator.run();
  const used = process.cpuUsage(before);
  const story = result.result as StoryResult | undefined;
  return {
    run: {
      driver: 'simulator',
      seed: seedText(options.seed),
      images: hashesOf(simulator.images),
      verdict: verdictOf({ ...result, isOk: story?.ok === true }),
      story,
      virtualSeconds: result.at / SECOND,
      cpuSeconds: (used.user + used.system) / 1e6,
      events: result.events,
      traceHash: result.hash,
      checked: simulator.checker.ids,
      violations: result.violations,
      trouble: troubleOf(result),
      lostSlices: 0,
    },
    pages: simulator.stores.get(0)?.pages?.() ?? [],
  };
}

function troubleOf({ reason, at, exception }: RunResult): string | undefined {
  if (reason === 'ended' || reason === 'violation') return undefined;
  return `the run stopped at ${(at / SECOND).toFixed(3)} s: ${exception ?? reason}`;
}
