import { type Invariant, SECOND, type Seed } from '@quorate/kernel';
import { HypervBlog, hypervBlogTopology, type StoryResult } from '@quorate/lab';
import type { StorePage } from '@quorate/scsi';
import { administratorsPrograms } from '@quorate/shell';
import { type RunWatcher, Simulator } from '@quorate/simulator';
import { seedText } from './options.js';
import type { StoryRun } from './run-record.js';

export interface SimulatedStory {
  readonly run: StoryRun;
  /** Pages of the shared disk as the run left it. */
  readonly pages: Iterable<StorePage>;
}

/** Runs the story in the simulator. `clusterConf` undefined: the walk-through's own. */
export function simulateStory(
  seed: Seed,
  clusterConf: string | undefined,
  invariants: readonly Invariant[],
  watcher: RunWatcher,
  watchedKinds: readonly string[],
): SimulatedStory {
  const topology = hypervBlogTopology(administratorsPrograms, clusterConf);
  const disks = topology.disks();
  const scenario = new HypervBlog(topology);
  const simulator = new Simulator({
    scenario,
    topology: { ...topology, disks: () => disks },
    seed,
    invariants,
    watcher,
    watchedKinds,
  });
  const before = process.cpuUsage();
  const result = simulator.run();
  const used = process.cpuUsage(before);
  const trouble =
    result.reason === 'ended' || result.reason === 'violation'
      ? undefined
      : `the run stopped at ${(result.at / SECOND).toFixed(3)} s: ${result.exception ?? result.reason}`;
  return {
    run: {
      driver: 'simulator',
      seed: seedText(seed),
      story: result.result as StoryResult | undefined,
      virtualSeconds: result.at / SECOND,
      cpuSeconds: (used.user + used.system) / 1e6,
      events: result.events,
      traceHash: result.hash,
      checked: simulator.checker.ids,
      violations: result.violations,
      trouble,
      lostSlices: 0,
    },
    pages: simulator.stores.get(0)?.pages?.() ?? [],
  };
}
