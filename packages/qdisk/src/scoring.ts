import { type Nanos, type Observe, SECOND } from '@quorate/kernel';
import type { QdiskFact } from './facts.js';
import type { Heuristic, LogLine } from './settings.js';

interface Program extends Heuristic {
  /** Run under way; 0 for none. */
  run: number;
  /** Exit status of that run, once it ended and until the next pass reaps it. */
  status: number | undefined;
  nextRun: Nanos;
  failTime: Nanos;
  misses: number;
  isAvailable: boolean;
  /** The run under way was given up: whatever it returns counts as a miss. */
  hasFailed: boolean;
}

/** What one pass of the scoring thread does to the world. */
export interface ScoringPort {
  run(run: number, index: number, program: string): void;
  log(line: LogLine): void;
}

const PERIOD: Nanos = SECOND;

/**
 * The scoring thread: once a second it starts the heuristics that are due, then reaps those that ended.
 *
 * Because starting precedes reaping, a program that ends between two passes starts again one pass after it was reaped:
 * a heuristic with an interval of 1 s runs every 2 s.
 *
 * Source: cluster.git cman/qdisk/score.c, `score_thread_main`, `fork_heuristic`, `check_heuristic`.
 */
export class Scoring {
  readonly #programs: readonly Program[];
  readonly #ceilingSec: number;
  readonly #observe: Observe<QdiskFact> | undefined;
  readonly #scoreMax: number;
  #score = 0;
  #isPublished = false;
  #passAt: Nanos = Infinity;
  #lastRun = 0;

  constructor(heuristics: readonly Heuristic[], ceilingSec: number, observe: Observe<QdiskFact> | undefined) {
    this.#ceilingSec = ceilingSec;
    this.#observe = observe;
    this.#scoreMax = heuristics.reduce((total, heuristic) => total + heuristic.score, 0);
    this.#programs = heuristics.map((heuristic) => ({
      ...heuristic,
      run: 0,
      status: undefined,
      nextRun: 0,
      failTime: 0,
      misses: 0,
      isAvailable: false,
      hasFailed: false,
    }));
  }

  /** Sum of the scores of the heuristics that are up; 1 without any heuristic, 0 before the first pass. */
  get score(): number {
    return this.#programs.length === 0 ? 1 : this.#score;
  }

  /** Score that all heuristics together would give. */
  get scoreMax(): number {
    if (this.#programs.length === 0) return 1;
    return this.#isPublished ? this.#scoreMax : 0;
  }

  /** Starts the thread; its first pass is at once. Without heuristics there is none. */
  start(now: Nanos, port: ScoringPort): void {
    if (this.#programs.length === 0) {
      port.log({ priority: 'debug', text: 'Permanently setting score to 1/1' });
      return;
    }
    this.#passAt = now;
    this.pass(now, port);
  }

  stop(): void {
    this.#passAt = Infinity;
  }

  deadline(): Nanos {
    return this.#passAt;
  }

  /** Takes note that a run ended; the next pass acts on it. Runs it does not know are ignored. */
  ended(run: number, status: number): void {
    const program = this.#programs.find((candidate) => candidate.run === run);
    if (program !== undefined) program.status = status;
  }

  pass(now: Nanos, port: ScoringPort): void {
    for (const [index, program] of this.#programs.entries()) this.#fork(now, index, program, port);
    for (const [index, program] of this.#programs.entries()) this.#check(now, index, program, port);
    this.#score = this.#programs.reduce((total, { isAvailable, score }) => total + (isAvailable ? score : 0), 0);
    this.#isPublished = true;
    this.#passAt = now + PERIOD;
  }

  inspect(): readonly { readonly program: string; readonly isUp: boolean; readonly misses: number }[] {
    return this.#programs.map(({ program, isAvailable, misses }) => ({ program, isUp: isAvailable, misses }));
  }

  #fork(now: Nanos, index: number, program: Program, port: ScoringPort): void {
    if (program.run !== 0 || now < program.nextRun) return;
    program.nextRun = now + program.intervalSec * SECOND;
    program.failTime = now + this.#ceilingSec * SECOND;
    this.#lastRun += 1;
    program.run = this.#lastRun;
    port.run(program.run, index, program.program);
  }

  #check(now: Nanos, index: number, program: Program, port: ScoringPort): void {
    if (program.run === 0) return;
    if (program.status === undefined) return this.#checkOverrun(now, index, program, port);
    const { status } = program;
    program.run = 0;
    program.status = undefined;
    if (program.hasFailed) program.hasFailed = false;
    else if (status === 0) return this.#up(now, index, program, port);
    else port.log({ priority: 'debug', text: `Heuristic: sh returned ${status} for '${program.program}'` });
    this.#miss(now, index, program, port);
  }

  #checkOverrun(now: Nanos, index: number, program: Program, port: ScoringPort): void {
    // The original compares with `>`; its passes drift, so the one that many seconds later is always past the limit.
    if (this.#ceilingSec === 0 || now < program.failTime || program.hasFailed) return;
    program.misses = program.tko;
    program.hasFailed = true;
    if (program.isAvailable) {
      const text = `Heuristic: '${program.program}' DOWN - Exceeded timeout of ${this.#ceilingSec} seconds`;
      port.log({ priority: 'info', text });
      program.isAvailable = false;
    }
    this.#tell(now, index, program);
  }

  #up(now: Nanos, index: number, program: Program, port: ScoringPort): void {
    if (!program.isAvailable) port.log({ priority: 'info', text: `Heuristic: '${program.program}' UP` });
    program.isAvailable = true;
    program.misses = 0;
    this.#tell(now, index, program);
  }

  #miss(now: Nanos, index: number, program: Program, port: ScoringPort): void {
    if (program.isAvailable) {
      program.misses += 1;
      const count = `(${program.misses}/${program.tko})`;
      program.isAvailable = program.misses < program.tko;
      if (program.isAvailable) port.log({ priority: 'debug', text: `Heuristic: '${program.program}' missed ${count}` });
      else port.log({ priority: 'info', text: `Heuristic: '${program.program}' DOWN ${count}` });
    }
    this.#tell(now, index, program);
  }

  #tell(now: Nanos, index: number, { isAvailable, misses, tko }: Program): void {
    this.#observe?.({ kind: 'qdisk.heuristic', now, index, isUp: isAvailable, misses, tko });
  }
}
