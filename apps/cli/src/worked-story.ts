import { type Invariant, SECOND, type Seed } from '@quorate/kernel';
import { HypervBlog, type StoryResult, type Topology } from '@quorate/lab';
import { type RunWatcher, WorkersLab, type WorkersResult } from '@quorate/workers';
import { threadWorker } from '@quorate/workers/node';
import type { TopologyOptions } from './lab.worker.js';
import { seedText } from './options.js';
import type { ToldStory } from './simulated-story.js';
import { verdictOf } from './verdict.js';

/** Next to the bundled command. */
const WORKER_FILE = new URL('./lab.worker.js', import.meta.url);

export interface WorkedStoryOptions {
  readonly topology: Topology;
  readonly seed: Seed;
  /** Cluster seconds per second, at most. */
  readonly speed: number;
  /** What the workers make the same topology of; undefined: the walk-through's own. */
  readonly clusterConf: string | undefined;
  readonly invariants: readonly Invariant[];
  readonly watcher: RunWatcher;
  /** Kinds of facts that the watcher wants. */
  readonly watchedKinds: readonly string[];
  readonly wantsPages: boolean;
}

/** Runs the story in worker threads. */
export async function workStory(options: WorkedStoryOptions): Promise<ToldStory> {
  const { topology, clusterConf, wantsPages, ...rest } = options;
  const topologyOptions: TopologyOptions = clusterConf === undefined ? {} : { clusterConf };
  const lab = new WorkersLab({
    scenario: new HypervBlog(topology),
    topologyName: 'hyperv-blog',
    topologyOptions,
    topology,
    ...rest,
    spawn: () => threadWorker(WORKER_FILE),
    wantsStores: wantsPages,
  });
  const before = process.cpuUsage();
  const result = await lab.run();
  const used = process.cpuUsage(before);
  const story = result.result as StoryResult | undefined;
  return {
    run: {
      driver: 'workers',
      seed: seedText(options.seed),
      images: result.imageHashes,
      verdict: verdictOf({ ...result, isOk: story?.ok === true }),
      story,
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
