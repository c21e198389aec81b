import { HypervBlog, hypervBlogTopology, type StoryResult, stackInvariants, type Topology } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { Simulator } from '@quorate/simulator';
import type { Figure } from './figures.js';

interface StoryRun {
  readonly cpuSeconds: number;
  readonly startMs: number;
  readonly virtualSeconds: number;
  readonly events: number;
  readonly hash: string;
}

const SEED = 7;

/** Enough for the compiler to have seen everything; the first of them is the cold one. */
const RUNS = 6;

export const storyTitle = `the walk-through in the simulator, seed ${SEED}, all invariants checked, from its first to its last event`;

/** Cold is the first run of the process; warm the best of the others. */
export function storyFigures(): readonly Figure[] {
  const topology = hypervBlogTopology(administratorsPrograms);
  // Formatting the disks is outside of the figures.
  topology.disks();
  const [cold, ...others] = Array.from({ length: RUNS }, () => runStory(topology)) as [StoryRun, ...StoryRun[]];
  const different = others.find(({ hash }) => hash !== cold.hash);
  if (different !== undefined) throw new Error(`two runs of seed ${SEED} differ: ${cold.hash} and ${different.hash}`);
  const second = others[0]!;
  const best = others.reduce((a, b) => (b.cpuSeconds < a.cpuSeconds ? b : a));
  const { events, virtualSeconds, cpuSeconds } = best;
  return [
    { name: 'whole story, cold: first in the process', value: cold.cpuSeconds, unit: 'CPU s', bar: { atMost: 2 } },
    { name: 'whole story, warm: second in the process', value: second.cpuSeconds, unit: 'CPU s', bar: { atMost: 1 } },
    { name: `whole story, best of ${RUNS}`, value: cpuSeconds, unit: 'CPU s' },
    { name: 'cluster time, best run', value: virtualSeconds / cpuSeconds, unit: 'virtual s per CPU s' },
    { name: 'events, best run', value: events / cpuSeconds / 1e6, unit: 'M events per CPU s' },
    { name: 'from a new simulator to its first event, best', value: startOf(others), unit: 'ms', bar: { atMost: 5 } },
    { name: 'events in it', value: events, unit: `in ${virtualSeconds.toFixed(0)} virtual s, hash ${best.hash}` },
  ];
}

function startOf(runs: readonly StoryRun[]): number {
  return Math.min(...runs.map(({ startMs }) => startMs));
}

/** Runs the story once. Throws when it does not hold: what is wrong is not timed. */
function runStory(topology: Topology): StoryRun {
  const scenario = new HypervBlog(topology);
  const before = process.cpuUsage();
  const simulator = new Simulator({
    scenario,
    topology,
    seed: { hi: 0, lo: SEED },
    invariants: stackInvariants,
  });
  simulator.run(0);
  const started = process.cpuUsage(before);
  const result = simulator.run();
  const used = process.cpuUsage(before);
  const [violation] = result.violations;
  if (result.reason !== 'ended' || violation !== undefined || !(result.result as StoryResult).ok) {
    const why = violation?.message ?? result.exception ?? result.reason;
    throw new Error(`the story does not hold with seed ${SEED}: ${why}`);
  }
  return {
    cpuSeconds: (used.user + used.system) / 1e6,
    startMs: (started.user + started.system) / 1e3,
    virtualSeconds: result.at / 1e9,
    events: result.events,
    hash: result.hash,
  };
}
