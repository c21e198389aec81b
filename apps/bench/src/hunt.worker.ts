import { parentPort, workerData } from 'node:worker_threads';
import { hunt } from './planted-bugs/hunt.js';
import type { HuntingGround } from './planted-bugs/planted-bug.js';

/** What a thread that hunts is started with: it runs seeds from 1 on until the rule is violated. */
export interface HuntOrder {
  readonly ground: HuntingGround;
  readonly rule: string;
  readonly seeds: number;
}

const { ground, rule, seeds } = workerData as HuntOrder;
for (let seed = 1; seed <= seeds; seed++) {
  const run = hunt(ground, seed, rule);
  parentPort!.postMessage(run);
  if (run.found !== undefined) break;
}
