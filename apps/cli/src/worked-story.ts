import { HypervBlog } from '@quorate/lab';
import { type FrameWatcher, WorkersLab } from '@quorate/workers';
import { threadWorker } from '@quorate/workers/node';
import type { RunOptions } from './run-options.js';
import { type ToldStory, toldStory } from './told-story.js';
import type { StoreOptions, TopologyOptions } from './topologies.js';

/** Next to the bundled command. */
const WORKER_FILE = new URL('./lab.worker.js', import.meta.url);

export interface WorkedStoryOptions extends RunOptions {
  /** Cluster seconds per second, at most. */
  readonly speed: number;
  /** What the workers make the same topology of; undefined: the walk-through's own. */
  readonly clusterConf: string | undefined;
  /** Where the disks' images are made and written; undefined: in memory. */
  readonly diskDirectory: string | undefined;
  readonly wantsPages: boolean;
  /** Hears of every frame. */
  readonly frames?: FrameWatcher;
  /** Gets a recording, piece by piece. */
  readonly recordTo?: (bytes: Uint8Array) => void;
}

/** Runs the story in worker threads. */
export async function workStory(options: WorkedStoryOptions): Promise<ToldStory> {
  const { topology, clusterConf, diskDirectory, wantsPages, ...rest } = options;
  const topologyOptions: TopologyOptions = clusterConf === undefined ? {} : { clusterConf };
  const storeOptions: StoreOptions | undefined = diskDirectory === undefined ? undefined : { directory: diskDirectory };
  const lab = new WorkersLab({
    scenario: new HypervBlog(topology),
    topologyName: 'hyperv-blog',
    topologyOptions,
    storeOptions,
    topology,
    ...rest,
    spawn: () => threadWorker(WORKER_FILE),
    wantsStores: wantsPages,
  });
  const before = process.cpuUsage();
  const ended = await lab.run();
  const cpu = process.cpuUsage(before);
  const { imageHashes: images, checked, idle, lostSlices, stores } = ended;
  return toldStory(ended, {
    driver: 'workers',
    seed: options.seed,
    cpu,
    images,
    traceHash: null,
    checked,
    idle,
    lostSlices,
    stores,
  });
}
