import type { WorkerLike } from './worker-like.js';

/**
 * A web worker for a lab. The page constructs it, as only the literal
 * `new Worker(new URL('./lab.worker.ts', import.meta.url), { type: 'module' })` is seen by bundlers.
 */
export function webWorker(worker: Worker): WorkerLike {
  return {
    postMessage: (message, transfer) => worker.postMessage(message, [...transfer]),
    onGone: (then) => {
      // A script that does not load comes here too, without a message.
      worker.onerror = ({ message }) => then({ reason: 'threw', message: message ?? 'the script did not load' });
      worker.onmessageerror = () => then({ reason: 'threw', message: 'a message could not be read' });
    },
    terminate: () => worker.terminate(),
  };
}
