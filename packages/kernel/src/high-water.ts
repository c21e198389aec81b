/** The first size that is worth telling. */
const FIRST = 16;

/** How far a queue has ever risen, by powers of two: so that each mark is told once, and a queue that stays short never. */
export class HighWater {
  #next = FIRST;

  /** Whether a queue of that size has reached a mark that it had not reached before. */
  rises(size: number): boolean {
    if (size < this.#next) return false;
    while (size >= this.#next) this.#next *= 2;
    return true;
  }
}
