import { parentPort, workerData } from 'node:worker_threads';
import { type HuntedRun, hunt, shrunkTo } from './planted-bugs/hunt.js';
import type { HuntingGround } from './planted-bugs/planted-bug.js';

/** What a thread that hunts is started with: it runs seeds from 1 on until the rule is violated. */
export interface HuntOrder {
  readonly ground: HuntingGround;
  readonly rule: string;
  readonly seeds: number;
  /** Whether the run that violates it is shrunk. */
  readonly isShrunk: boolean;
}

/** What it tells of each run. */
export interface HuntNews {
  readonly run: HuntedRun;
  /** Decisions that are left of it, when it was shrunk. */
  readonly decisions?: number;
}

const { ground, rule, seeds, isShrunk } = workerData as HuntOrder;
for (let seed = 1; seed <= seeds; seed++) {
  const run = hunt(ground, seed, rule);
  const decisions = isShrunk && run.found !== undefined ? shrunkTo(ground, seed, rule) : undefined;
  const news: HuntNews = decisions === undefined ? { run } : { run, decisions };
  parentPort!.postMessage(news);
  if (run.found !== undefined) break;
}
