import { HypervBlog } from '@quorate/lab';
import type { BlockStore } from '@quorate/scsi';
import { Simulator } from '@quorate/simulator';
import { tuneForShortRuns } from '@quorate/simulator/node';
import type { EventTap } from '@quorate/trace';
import { hashesOf } from './image-hashes.js';
import type { RunOptions } from './run-options.js';
import { type ToldStory, toldStory } from './told-story.js';

export interface SimulatedStoryOptions extends RunOptions {
  readonly tap?: EventTap;
  /** Where the disks are written, by LUN, with their images' content; absent: in memory. */
  readonly stores?: ReadonlyMap<number, BlockStore>;
}

/** Runs the story in the simulator. Formatting the disks is no part of its processor time. */
export function simulateStory({ topology, ...options }: SimulatedStoryOptions): ToldStory {
  tuneForShortRuns();
  topology.disks();
  const simulator = new Simulator({ ...options, scenario: new HypervBlog(topology), topology });
  const before = process.cpuUsage();
  const ended = simulator.run();
  const cpu = process.cpuUsage(before);
  return toldStory(ended, {
    driver: 'simulator',
    seed: options.seed,
    cpu,
    images: hashesOf(simulator.images),
    traceHash: ended.hash,
    checked: simulator.checker.ids,
    idle: simulator.checker.idle,
    lostSlices: 0,
    stores: simulator.stores,
  });
}
