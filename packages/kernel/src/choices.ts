import { Prng, type Seed } from './prng.js';

/**
 * What the world does, one outcome at a time: is this frame lost, how long does that write take?
 *
 * Outcome 0 is always the tame one (delivered, no extra delay, written whole), so a replay that leaves an entry out
 * is always a simpler run.
 */
export interface Choices {
  /** An outcome in [0, n). `kind` names the question, for logs. */
  choose(kind: string, n: number): number;
  /** Whether something with probability `threshold` / 2^32 happens; false is tame. */
  happens(kind: string, threshold: number): boolean;
  /** An extra delay or size with an exponential distribution of that mean; 0 is tame. */
  exponential(kind: string, mean: number): number;
}

/** Where the streams of choices come from: the world of a driver. */
export interface World {
  /** The stream of that name, the same object each time: `net/1>2`, `disk/0/3`. */
  choices(stream: string): Choices;
}

/** Choices drawn from a random stream. */
export class DrawnChoices implements Choices {
  readonly #prng: Prng;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  choose(_kind: string, n: number): number {
    return this.#prng.below(n);
  }

  happens(_kind: string, threshold: number): boolean {
    return this.#prng.happens(threshold);
  }

  exponential(_kind: string, mean: number): number {
    return this.#prng.exponential(mean);
  }
}

/** A world whose choices are drawn from the streams of one seed. */
export class SeededWorld implements World {
  readonly #seed: Seed;
  readonly #streams = new Map<string, Choices>();

  constructor(seed: Seed) {
    this.#seed = seed;
  }

  choices(stream: string): Choices {
    let choices = this.#streams.get(stream);
    if (choices === undefined) {
      choices = new DrawnChoices(Prng.derive(this.#seed, stream));
      this.#streams.set(stream, choices);
    }
    return choices;
  }
}

/** The world in which nothing ever goes wrong and nothing takes longer than it must. */
export const TAME_WORLD: World = {
  choices: () => ({ choose: () => 0, happens: () => false, exponential: () => 0 }),
};
