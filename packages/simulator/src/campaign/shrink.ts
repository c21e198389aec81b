import type { Invariant, Seed } from '@quorate/kernel';
import { type DecisionLog, decisionCount, filterLog } from '../decisions/decision-log.js';
import { ReplayedWorld } from '../decisions/replayed-world.js';
import { type PreparedScenario, replay, runLogged, type SeedReport } from './seed-run.js';

export interface ShrinkOptions {
  /** The most runs that it may take; 300 unless told. */
  readonly mostRuns?: number;
  /** Told after each run. */
  readonly heard?: (runs: number, decisions: number) => void;
  /** Asked before each run: whether to stop here. */
  readonly isOver?: () => boolean;
}

export interface Shrunk {
  readonly log: DecisionLog;
  /** Of the shrunk log. */
  readonly report: SeedReport;
  readonly runs: number;
}

const MOST_RUNS = 300;

/**
 * A log that still ends in the same way and has as few decisions as could be found.
 *
 * Whole parts are left out first (all of the network, one family of faults), then streams and single attacks with all that
 * belongs to them, then single decisions, and last what is left gets smaller values. Each try is one tolerant replay: it
 * counts when the run ends with the same id.
 *
 * @throws {RangeError} when the log itself does not end with `id`.
 */
export function shrink(
  prepare: () => PreparedScenario,
  seed: Seed,
  log: DecisionLog,
  id: string,
  options: ShrinkOptions = {},
): Shrunk {
  return new Shrinking(prepare, seed, id, options).run(log);
}

class Shrinking {
  readonly #prepare: () => PreparedScenario;
  readonly #seed: Seed;
  readonly #id: string;
  readonly #options: ShrinkOptions;
  #runs = 0;

  constructor(prepare: () => PreparedScenario, seed: Seed, id: string, options: ShrinkOptions) {
    this.#prepare = prepare;
    this.#seed = seed;
    this.#id = id;
    this.#options = options;
  }

  run(log: DecisionLog): Shrunk {
    if (!this.#fails(log)) throw new RangeError(`the log does not end with ${this.#id}`);
    let best = log;
    for (const partOf of [areaOf, familyOf, attackOf]) best = this.#leaveOut(best, partOf);
    best = this.#leaveOut(best, (stream, counter) => `${stream}#${counter}`);
    best = this.#lower(best);
    // Once more, and what nobody asked for is gone.
    const { report, log: asked } = runLogged(this.#prepared(), this.#seed, new ReplayedWorld(best, 'tolerant'));
    return { log: asked, report, runs: this.#runs };
  }

  /** Delta debugging over the parts of a log: leaves out as many as can be, in chunks that get smaller. */
  #leaveOut(log: DecisionLog, partOf: (stream: string, counter: number) => string): DecisionLog {
    let best = log;
    let parts = partsOf(best, partOf);
    let chunks = 1;
    while (parts.length > 0 && !this.#isOver()) {
      const size = Math.ceil(parts.length / chunks);
      let hasShrunk = false;
      for (let from = 0; from < parts.length && !this.#isOver(); ) {
        const without = new Set(parts.slice(from, from + size));
        const less = filterLog(best, (stream, { counter }) => !without.has(partOf(stream, counter)));
        if (this.#fails(less)) {
          best = less;
          parts = parts.filter((part) => !without.has(part));
          hasShrunk = true;
        } else from += size;
      }
      if (size === 1 && !hasShrunk) break;
      chunks = Math.min(parts.length, hasShrunk && size === 1 ? chunks : chunks * 2);
    }
    return best;
  }

  /** Halves values, as long as it stays. */
  #lower(log: DecisionLog): DecisionLog {
    let best = log;
    for (const [stream, decisions] of log) {
      for (const { counter } of decisions) {
        for (;;) {
          const value = best.get(stream)!.find((each) => each.counter === counter)!.value;
          if (value === 1 || this.#isOver()) break;
          const lower = new Map(best);
          const changed = best
            .get(stream)!
            .map((each) => (each.counter === counter ? { ...each, value: Math.floor(value / 2) } : each));
          lower.set(stream, changed);
          if (!this.#fails(lower)) break;
          best = lower;
        }
      }
    }
    return best;
  }

  #isOver(): boolean {
    return this.#runs >= (this.#options.mostRuns ?? MOST_RUNS) || this.#options.isOver?.() === true;
  }

  #fails(log: DecisionLog): boolean {
    this.#runs += 1;
    const { report } = replay(this.#prepared(), this.#seed, log, 'tolerant');
    this.#options.heard?.(this.#runs, decisionCount(log));
    return report.id === this.#id;
  }

  /** Only the rule that was broken is watched: another one must not end the run before it. */
  #prepared(): PreparedScenario {
    const prepared = this.#prepare();
    const invariants: readonly Invariant[] = prepared.invariants.filter(({ id }) => id === this.#id);
    return { ...prepared, invariants };
  }
}

/** Names of the parts of a log, each once, those with most decisions first. */
function partsOf(log: DecisionLog, partOf: (stream: string, counter: number) => string): readonly string[] {
  const sizes = new Map<string, number>();
  for (const [stream, decisions] of log) {
    for (const { counter } of decisions) {
      const part = partOf(stream, counter);
      sizes.set(part, (sizes.get(part) ?? 0) + 1);
    }
  }
  return [...sizes.keys()].sort((a, b) => sizes.get(b)! - sizes.get(a)!);
}

/** `net`, `disk`, `fabric`, `nemesis`, `workload`. */
function areaOf(stream: string): string {
  return stream.split('/')[0]!;
}

/** `nemesis/part.sym` with all its attacks, `net/1>2` with its copies. */
function familyOf(stream: string): string {
  return stream.split('/').slice(0, 2).join('/');
}

/** One attack with all that it drew, and any other stream by itself. */
function attackOf(stream: string, counter: number): string {
  const [area, family, attack] = stream.split('/');
  return area === 'nemesis' && family !== undefined ? `nemesis/${family}/${attack ?? counter}` : stream;
}
