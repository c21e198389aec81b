import type { Invariant, Seed } from '@quorate/kernel';
import { areaOf, type DecisionLog, decisionCount, filterLog } from '../decisions/decision-log.js';
import { type PreparedScenario, type ReplayedLog, replay, type SeedReport } from './seed-run.js';

export interface ShrinkOptions {
  /** The most runs that it may take; 2000 unless told. */
  readonly mostRuns?: number;
  /** Told after each run: how many there were, and the decisions of the best log so far. */
  readonly heard?: (runs: number, decisions: number) => void;
  /** Asked before each run: whether to stop here. */
  readonly isOver?: () => boolean;
}

/** A log that fails, with what is still left to the seed. */
export interface Shrunk extends ReplayedLog {
  /** Of the shrunk log. */
  readonly report: SeedReport;
  readonly runs: number;
}

const MOST_RUNS = 2000;

/** What happens of itself, thousands of times a run: nobody wants to read that, one by one. */
const SURROUNDINGS: readonly string[] = ['net', 'disk', 'fabric'];

/**
 * A log that still ends in the same way and has as few decisions as could be found.
 *
 * The latencies of network and disks are as the seed says, or none where it fails without; they are no part of the log.
 * Then whole parts are left out (an area, a family of faults), streams and single attacks with all that belongs to them,
 * single decisions, and last what is left gets smaller values; all of it again as long as that helps. Each try is one
 * tolerant replay: it counts when the run ends with the same id.
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
  /** The smallest that has failed. */
  #best: Omit<Shrunk, 'runs'> | undefined;

  constructor(prepare: () => PreparedScenario, seed: Seed, id: string, options: ShrinkOptions) {
    this.#prepare = prepare;
    this.#seed = seed;
    this.#id = id;
    this.#options = options;
  }

  run(log: DecisionLog): Shrunk {
    const bare = filterLog(log, (stream) => !SURROUNDINGS.includes(areaOf(stream)));
    // Equal to the log where the seed made it; a log that somebody changed is taken as it is.
    if (!this.#fails(bare, SURROUNDINGS) && !this.#fails(log, [])) {
      throw new RangeError(`the log does not end with ${this.#id}`);
    }
    for (let before = Number.POSITIVE_INFINITY; this.#size() < before && !this.#isOver(); ) {
      before = this.#size();
      this.#tame();
      for (const partOf of [areaOf, familyOf, attackOf]) this.#leaveOut(partOf);
      this.#leaveOut((stream, counter) => `${stream}#${counter}`);
      this.#lower();
    }
    return { ...this.#best!, runs: this.#runs };
  }

  /** Does without what the seed says of the surroundings: all of it, or an area. */
  #tame(): void {
    const { log, seeded } = this.#best!;
    if (seeded.length === 0 || this.#isOver() || this.#fails(log, [])) return;
    for (const area of seeded) {
      if (this.#isOver()) return;
      const rest = this.#best!.seeded.filter((each) => each !== area);
      this.#fails(this.#best!.log, rest);
    }
  }

  /** Delta debugging over the parts of a log: leaves out as many as can be, in chunks that get smaller. */
  #leaveOut(partOf: (stream: string, counter: number) => string): void {
    let parts = partsOf(this.#best!.log, partOf);
    let chunks = 1;
    while (parts.length > 0 && !this.#isOver()) {
      const size = Math.ceil(parts.length / chunks);
      let hasShrunk = false;
      for (let from = 0; from < parts.length && !this.#isOver(); ) {
        const without = new Set(parts.slice(from, from + size));
        const { log, seeded } = this.#best!;
        const less = filterLog(log, (stream, { counter }) => !without.has(partOf(stream, counter)));
        if (this.#fails(less, seeded)) {
          // Parts that nobody asks for any more went with them.
          const left = new Set(partsOf(this.#best!.log, partOf));
          parts = parts.filter((part) => left.has(part));
          hasShrunk = true;
        } else from += size;
      }
      if (size === 1 && !hasShrunk) break;
      chunks = Math.min(parts.length, hasShrunk && size === 1 ? chunks : chunks * 2);
    }
  }

  /** Takes for each value the least that does, or half of it, as long as that fails. */
  #lower(): void {
    for (const [stream, decisions] of this.#best!.log) {
      for (const { counter } of decisions) {
        if (!this.#setTo(stream, counter, () => 1)) {
          while (this.#setTo(stream, counter, (value) => value >> 1)) {}
        }
      }
    }
  }

  /** Whether it fails with another value in this place, too. */
  #setTo(stream: string, counter: number, change: (value: number) => number): boolean {
    const { log, seeded } = this.#best!;
    const value = log.get(stream)?.find((each) => each.counter === counter)?.value ?? 1;
    if (value === 1 || this.#isOver()) return false;
    const changed = log
      .get(stream)!
      .map((each) => (each.counter === counter ? { ...each, value: change(value) } : each));
    return this.#fails(new Map(log).set(stream, changed), seeded);
  }

  #size(): number {
    return decisionCount(this.#best!.log);
  }

  #isOver(): boolean {
    return this.#runs >= (this.#options.mostRuns ?? MOST_RUNS) || this.#options.isOver?.() === true;
  }

  /** Runs it; when it ends in the same way, it is the best so far, without what nobody asked for. */
  #fails(log: DecisionLog, seeded: readonly string[]): boolean {
    this.#runs += 1;
    const { report, asked } = replay(this.#prepared(), this.#seed, { log, seeded }, 'tolerant');
    const isSame = report.id === this.#id;
    if (isSame) this.#best = { log: asked, seeded, report };
    this.#options.heard?.(this.#runs, this.#best === undefined ? decisionCount(log) : this.#size());
    return isSame;
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

/** `nemesis/part.sym` with all its attacks, `workload/own` of all machines. */
function familyOf(stream: string): string {
  return stream.split('/').slice(0, 2).join('/');
}

/** One attack with all that it drew, and any other stream by itself. */
function attackOf(stream: string, counter: number): string {
  const [area, family, attack] = stream.split('/');
  return area === 'nemesis' && family !== undefined ? `nemesis/${family}/${attack ?? counter}` : stream;
}
