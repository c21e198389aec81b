/** The last entries of something that goes on and on: oldest first, never more than `limit`. */
export class BoundedList<Entry> {
  readonly #limit: number;
  #entries: Entry[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    // Cut rarely, so that adding costs the same however long the list is.
    if (this.#entries.length > 2 * this.#limit) this.#entries = this.#entries.slice(-this.#limit);
  }

  /** The last `count` entries, at most `limit`, oldest first. */
  last(count: number): readonly Entry[] {
    return this.#entries.slice(-Math.min(count, this.#limit));
  }

  clear(): void {
    this.#entries = [];
  }
}
