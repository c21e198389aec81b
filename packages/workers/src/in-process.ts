import type { Boot, OpenStores, Registry } from './boot.js';
import type { WorkerLike } from './platform/worker-like.js';
import { startWorker } from './worker/start-worker.js';

/**
 * A worker that is none: the same code over the same ports, on this thread. For tests, and for a debugger.
 *
 * It cannot be terminated while it works, so one that hangs hangs everything.
 */
export function inProcessWorker(registry: Registry, openStores?: OpenStores): WorkerLike {
  let stop: () => void = () => {};
  return {
    postMessage: (boot) => {
      stop = startWorker(boot as Boot, registry, { openStores });
    },
    onGone: () => {},
    terminate: () => stop(),
  };
}
