import { type ResourceLimits, type TransferListItem, Worker } from 'node:worker_threads';
import type { WorkerLike } from '../platform/worker-like.js';

/** Seven such heaps, and what is outside of them, stay below 400 MB. */
const LIMITS: ResourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4, stackSizeMb: 4 };

/** A worker thread for a lab. `url`: the bundled file that calls `serveWorker`. `limits` bound its heap. */
export function threadWorker(url: URL, limits: ResourceLimits = LIMITS): WorkerLike {
  const worker = new Worker(url, { resourceLimits: limits });
  return {
    postMessage: (message, transfer) =>
      worker.postMessage(message, transfer as readonly unknown[] as TransferListItem[]),
    onGone: (then) => {
      worker.on('error', (error: unknown) => then({ reason: 'threw', message: textOf(error) }));
      worker.on('messageerror', (error) => then({ reason: 'threw', message: textOf(error) }));
      worker.on('exit', (code) => then({ reason: 'exited', message: `exit code ${code}` }));
    },
    terminate: () => worker.terminate(),
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
