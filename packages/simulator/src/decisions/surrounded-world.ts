import type { Choices, World } from '@quorate/kernel';
import { areaOf } from './decision-log.js';

/** A world of which some areas (`net`, `disk`) are decided by another one. */
export class SurroundedWorld implements World {
  readonly #inner: World;
  readonly #surroundings: World;
  readonly #areas: readonly string[];

  constructor(inner: World, surroundings: World, areas: readonly string[]) {
    this.#inner = inner;
    this.#surroundings = surroundings;
    this.#areas = areas;
  }

  choices(stream: string): Choices {
    return (this.#areas.includes(areaOf(stream)) ? this.#surroundings : this.#inner).choices(stream);
  }
}
