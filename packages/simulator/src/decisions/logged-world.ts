import type { Choices, World } from '@quorate/kernel';
import type { Decision, DecisionLog } from './decision-log.js';

/** Another world's choices, with all that are not tame written down. */
export class LoggedWorld implements World {
  readonly #world: World;
  readonly #streams = new Map<string, LoggedChoices>();

  constructor(world: World) {
    this.#world = world;
  }

  choices(stream: string): Choices {
    let choices = this.#streams.get(stream);
    if (choices === undefined) {
      choices = new LoggedChoices(this.#world.choices(stream));
      this.#streams.set(stream, choices);
    }
    return choices;
  }

  /** What was decided so far. */
  log(): DecisionLog {
    const log = new Map<string, readonly Decision[]>();
    for (const [stream, { decisions }] of this.#streams) if (decisions.length > 0) log.set(stream, [...decisions]);
    return log;
  }
}

class LoggedChoices implements Choices {
  readonly decisions: Decision[] = [];
  readonly #choices: Choices;
  #asked = 0;

  constructor(choices: Choices) {
    this.#choices = choices;
  }

  choose(kind: string, n: number): number {
    return this.#note(kind, n, this.#choices.choose(kind, n));
  }

  happens(kind: string, threshold: number): boolean {
    return this.#note(kind, 2, this.#choices.happens(kind, threshold) ? 1 : 0) === 1;
  }

  exponential(kind: string, mean: number): number {
    return this.#note(kind, 0, this.#choices.exponential(kind, mean));
  }

  #note(kind: string, n: number, value: number): number {
    const counter = this.#asked;
    this.#asked += 1;
    if (value !== 0) this.decisions.push({ counter, kind, n, value });
    return value;
  }
}
