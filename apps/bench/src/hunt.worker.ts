import { parentPort, workerData } from 'node:worker_threads';
import { type HuntedRun, hunt, shrunkTo } from './planted-bugs/hunt.js';
import type { HuntingGround } from './planted-bugs/planted-bug.js';

/** What a thread that hunts is started with: it runs seeds from 1 on until the rule is violated. */
export interface HuntOrder {
  readonly ground: HuntingGround;
  readonly rule: string;
  readonly seeds: number;
  /** The most runs that shrinking the one that violates it may take; 0: it is not shrunk. */
  readonly shrinkRuns: number;
}

/** What it tells of each run. */
export interface HuntNews {
  readonly run: HuntedRun;
  /** Decisions that are left of it, as text, when it was shrunk. */
  readonly decisions?: readonly string[];
}

const { ground, rule, seeds, shrinkRuns } = workerData as HuntOrder;
for (let seed = 1; seed <= seeds; seed++) {
  const run = hunt(ground, seed, rule);
  const decisions = shrinkRuns > 0 && run.found !== undefined ? shrunkTo(ground, seed, rule, shrinkRuns) : undefined;
  const news: HuntNews = decisions === undefined ? { run } : { run, decisions };
  parentPort!.postMessage(news);
  if (run.found !== undefined) break;
}
