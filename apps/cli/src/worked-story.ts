import { type Invariant, SECOND, type Seed } from '@quorate/kernel';
import { HypervBlog, hypervBlogTopology, type StoryResult } from '@quorate/lab';
import type { StorePage } from '@quorate/scsi';
import { administratorsPrograms } from '@quorate/shell';
import { type RunWatcher, WorkersLab, type WorkersResult } from '@quorate/workers';
import { threadWorker } from '@quorate/workers/node';
import type { TopologyOptions } from './lab.worker.js';
import { seedText } from './options.js';
import type { StoryRun } from './run-record.js';

/** Next to the bundled command. */
const WORKER_FILE = new URL('./lab.worker.js', import.meta.url);

export interface WorkedStoryOptions {
  readonly seed: Seed;
  /** Cluster seconds per second, at most. */
  readonly speed: number;
  /** Undefined: the walk-through's own. */
  readonly clusterConf: string | undefined;
  readonly invariants: readonly Invariant[];
  readonly watcher: RunWatcher;
  /** Kinds of facts that the watcher wants. */
  readonly watchedKinds: readonly string[];
  readonly wantsPages: boolean;
}

export interface WorkedStory {
  readonly run: StoryRun;
  /** Pages of the shared disk as the run left it. */
  readonly pages: Iterable<StorePage>;
}

/** Runs the story in worker threads. */
export async function workStory(options: WorkedStoryOptions): Promise<WorkedStory> {
  const { seed, speed, clusterConf, invariants, watcher, watchedKinds, wantsPages } = options;
  const topology = hypervBlogTopology(administratorsPrograms, clusterConf);
  const topologyOptions: TopologyOptions = clusterConf === undefined ? {} : { clusterConf };
  const lab = new WorkersLab({
    scenario: new HypervBlog(topology),
    topologyName: 'hyperv-blog',
    topologyOptions,
    topology,
    seed,
    speed,
    invariants,
    spawn: () => threadWorker(WORKER_FILE),
    watcher,
    watchedKinds,
    wantsStores: wantsPages,
  });
  const before = process.cpuUsage();
  const result = await lab.run();
  const used = process.cpuUsage(before);
  return {
    run: {
      driver: 'workers',
      seed: seedText(seed),
      story: result.result as StoryResult | undefined,
      virtualSeconds: result.at / SECOND,
      cpuSeconds: (used.user + used.system) / 1e6,
      events: result.events,
      traceHash: null,
      checked: result.checked,
      violations: result.violations,
      trouble: troubleOf(result),
      lostSlices: result.lostSlices,
    },
    pages: result.stores.get(0)?.pages?.() ?? [],
  };
}

function troubleOf({ reason, at, exception, gone }: WorkersResult): string | undefined {
  if (reason === 'ended' || reason === 'violation') return undefined;
  const when = `the run stopped at ${(at / SECOND).toFixed(3)} s`;
  if (gone !== undefined) return `${when}: worker ${gone.worker} ${gone.reason}: ${gone.message}`;
  return `${when}: ${exception ?? reason}`;
}
