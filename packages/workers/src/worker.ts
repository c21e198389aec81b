import type { OpenStores, Registry } from './boot.js';
import { onBoot } from './platform/on-boot.js';
import { startWorker } from './worker/start-worker.js';

export type { OpenedStores, OpenStores, Registry } from './boot.js';

/**
 * Makes this thread a worker of a lab: call it once, at the top level of the worker's file.
 *
 * `registry` builds topologies by their names, from the plain data that the hub was given as `topologyOptions`. `openStores`
 * is for hubs that have `storeOptions`.
 */
export function serveWorker(registry: Registry, openStores?: OpenStores): void {
  onBoot((boot) => {
    startWorker(boot, registry, { openStores });
  });
}
