import { Worker } from 'node:worker_threads';
import type { SeedReport } from '@quorate/simulator';
import type { ScenarioOptions } from '../scenarios.js';

/** One run that a worker is asked for. */
export interface SeedTask {
  readonly scenario: string;
  readonly options: ScenarioOptions;
  readonly seed: bigint;
}

/** Whoever runs seeds, one at a time. */
export interface SeedWorker {
  run(task: SeedTask): Promise<SeedReport>;
  stop(): Promise<unknown>;
}

/** Next to the bundled command. */
const WORKER_FILE = new URL('./campaign.worker.js', import.meta.url);

/** A thread that runs seeds. A thread that dies rejects the run that it was asked for. */
export function threadedSeedWorker(): SeedWorker {
  const worker = new Worker(WORKER_FILE);
  return {
    run: (task) =>
      new Promise<SeedReport>((resolve, reject) => {
        worker.once('message', resolve).once('error', reject);
        worker.postMessage(task);
      }).finally(() => {
        worker.removeAllListeners('message').removeAllListeners('error');
      }),
    stop: () => worker.terminate(),
  };
}
