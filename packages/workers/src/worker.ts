import type { Registry } from './boot.js';
import { onBoot } from './platform/on-boot.js';
import { startWorker } from './worker/start-worker.js';

export type { Registry } from './boot.js';

/**
 * Makes this thread a worker of a lab: call it once, at the top level of the worker's file.
 *
 * `registry` builds topologies by their names, from the plain data that the hub was given as `topologyOptions`.
 */
export function serveWorker(registry: Registry): void {
  onBoot((boot) => {
    startWorker(boot, registry);
  });
}
