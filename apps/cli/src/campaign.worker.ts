import { parentPort } from 'node:worker_threads';
import { runSeed } from '@quorate/simulator';
import type { SeedTask } from './campaign/seed-worker.js';
import { seedOfNumber } from './options.js';
import { prepare, SCENARIOS } from './scenarios.js';

const port = parentPort!;
port.on('message', ({ scenario, options, seed }: SeedTask) => {
  port.postMessage(runSeed(prepare(SCENARIOS, scenario, options), seedOfNumber(seed)));
});
