import type { Boot } from '../boot.js';

/** What is used of `node:worker_threads`. */
interface NodeThreads {
  readonly parentPort: { once(event: 'message', listener: (boot: Boot) => void): void } | null;
}

/**
 * Calls `start` with the message that boots this worker, in a worker thread of Node as in a web worker.
 *
 * `process.getBuiltinModule` is synchronous and no import, so that one file serves both and no bundler stumbles over it.
 */
export function onBoot(start: (boot: Boot) => void): void {
  const { process } = globalThis as { process?: { getBuiltinModule?(id: string): unknown } };
  const threads = process?.getBuiltinModule?.('node:worker_threads') as NodeThreads | undefined;
  if (threads?.parentPort) threads.parentPort.once('message', start);
  else globalThis.addEventListener('message', (event) => start((event as MessageEvent<Boot>).data), { once: true });
}
