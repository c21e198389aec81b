import { HypervBlog, hypervBlogTopology, type StoryResult, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { Simulator } from '@quorate/simulator';

export interface StoryFigures {
  readonly cpuSeconds: number;
  readonly virtualSeconds: number;
  readonly events: number;
  readonly hash: string;
}

/**
 * Runs the story once in the simulator with all observers, from its first to its last event.
 *
 * Formatting the disks is outside of the figure. Throws when the story does not hold: what is wrong is not timed.
 */
export function runStory(seedLo: number): StoryFigures {
  const topology = hypervBlogTopology(administratorsPrograms);
  const disks = topology.disks();
  const scenario = new HypervBlog(topology);
  const simulator = new Simulator({
    scenario,
    topology: { ...topology, disks: () => disks },
    seed: { hi: 0, lo: seedLo },
    invariants: stackInvariants,
  });
  const before = process.cpuUsage();
  const result = simulator.run();
  const used = process.cpuUsage(before);
  if (result.reason !== 'ended' || !(result.result as StoryResult).ok || result.violations.length > 0) {
    throw new Error(`the story does not hold with seed ${seedLo}: ${result.exception ?? result.reason}`);
  }
  return {
    cpuSeconds: (used.user + used.system) / 1e6,
    virtualSeconds: result.at / 1e9,
    events: result.events,
    hash: result.hash,
  };
}
