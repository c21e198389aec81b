import type { Program } from '@quorate/kernel';
import type { Topology } from '../../topology.js';
import { hypervBlogTopology } from '../hyperv-blog/index.js';
import { clusterConf, FIRST_VERSION, WORKERS } from './configuration.js';
import { worker } from './worker.js';

/** The walk-through's five machines and disks, with the services of the chaos. */
export function serviceChaosTopology(programs: ReadonlyMap<string, Program>): Topology {
  const workers = WORKERS.map((name) => [name, worker] as const);
  return hypervBlogTopology(new Map([...programs, ...workers]), clusterConf(FIRST_VERSION, new Set()));
}
