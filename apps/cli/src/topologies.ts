import { freshHypervBlogTopology, hypervBlogTopology } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import type { Registry } from '@quorate/workers';

/** What is told of the topology to whoever builds it again: a cluster.conf, unless it is the walk-through's own. */
export interface TopologyOptions {
  readonly clusterConf?: string;
}

/** What is told of the disks' images to the worker that makes them. */
export interface StoreOptions {
  readonly directory: string;
}

/** Topologies that workers build for themselves, and replays again, by name. */
export const TOPOLOGIES: Registry = {
  'hyperv-blog': (options) => hypervBlogTopology(administratorsPrograms, (options as TopologyOptions).clusterConf),
  'hyperv-blog-fresh': () => freshHypervBlogTopology(administratorsPrograms),
};
