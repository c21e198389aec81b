import type { Choices, World } from '@quorate/kernel';
import type { Decision, DecisionLog } from './decision-log.js';

/** A run under strict replay asked another question than the one that its log answers. */
export class ReplayDiverged extends Error {
  override readonly name = 'ReplayDiverged';
  readonly stream: string;
  readonly counter: number;

  constructor(stream: string, counter: number, asked: string, logged: string) {
    super(`${stream}#${counter}: the run asks ${asked}, the log answers ${logged}`);
    this.stream = stream;
    this.counter = counter;
  }
}

/**
 * `strict`: a question that is not the one in the log throws `ReplayDiverged`. `tolerant`, for code that has changed: it is
 * answered with the tame outcome and counted, and a value that is too large is taken modulo the number of outcomes.
 */
export type ReplayMode = 'strict' | 'tolerant';

/** The world of a log: what it does not say is tame. */
export class ReplayedWorld implements World {
  readonly #log: DecisionLog;
  readonly #mode: ReplayMode;
  readonly #streams = new Map<string, ReplayedChoices>();

  constructor(log: DecisionLog, mode: ReplayMode) {
    this.#log = log;
    this.#mode = mode;
  }

  choices(stream: string): Choices {
    let choices = this.#streams.get(stream);
    if (choices === undefined) {
      choices = new ReplayedChoices(stream, this.#log.get(stream) ?? [], this.#mode);
      this.#streams.set(stream, choices);
    }
    return choices;
  }

  /** Entries whose question was another one in this run, and those whose question was never asked. */
  misfits(): { readonly answered: number; readonly unasked: number } {
    let answered = 0;
    let unasked = 0;
    for (const stream of this.#streams.values()) {
      answered += stream.misfits;
      unasked += stream.left;
    }
    for (const [stream, decisions] of this.#log) if (!this.#streams.has(stream)) unasked += decisions.length;
    return { answered, unasked };
  }
}

class ReplayedChoices implements Choices {
  misfits = 0;
  readonly #stream: string;
  readonly #decisions: readonly Decision[];
  readonly #mode: ReplayMode;
  #asked = 0;
  #next = 0;

  constructor(stream: string, decisions: readonly Decision[], mode: ReplayMode) {
    this.#stream = stream;
    this.#decisions = decisions;
    this.#mode = mode;
  }

  get left(): number {
    return this.#decisions.length - this.#next;
  }

  choose(kind: string, n: number): number {
    return this.#answer(kind, n);
  }

  happens(kind: string, _threshold: number): boolean {
    return this.#answer(kind, 2) === 1;
  }

  exponential(kind: string, _mean: number): number {
    return this.#answer(kind, 0);
  }

  #answer(kind: string, n: number): number {
    const counter = this.#asked;
    this.#asked += 1;
    const decision = this.#decisions[this.#next];
    if (decision === undefined || decision.counter !== counter) return 0;
    this.#next += 1;
    if (decision.kind === kind && decision.n === n) return decision.value;
    if (this.#mode === 'strict') {
      const logged = `${decision.kind} of ${decision.n}`;
      throw new ReplayDiverged(this.#stream, counter, `${kind} of ${n}`, logged);
    }
    this.misfits += 1;
    // An unbounded value and a bounded one mean different things.
    if (decision.kind !== kind || (decision.n === 0) !== (n === 0)) return 0;
    return n === 0 ? decision.value : decision.value % n;
  }
}
