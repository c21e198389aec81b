/** Messages that can be outstanding at once, `QUEUE_RTR_ITEMS_SIZE_MAX`. */
export const SEQUENCE_QUEUE_SIZE = 16384;

const MASK = SEQUENCE_QUEUE_SIZE - 1;
const MOST_MISSES = 255;

/**
 * Messages by sequence number: a window of 16384 numbers above what was released.
 *
 * Source: corosync include/corosync/sq.h. All operations are O(1) except `reset` and `releaseTo`, which go over what was used.
 */
export class SequenceQueue<T> {
  readonly #items: (T | undefined)[] = new Array<T | undefined>(SEQUENCE_QUEUE_SIZE).fill(undefined);
  readonly #misses: Uint8Array = new Uint8Array(SEQUENCE_QUEUE_SIZE);
  readonly #onRelease: (item: T) => void;
  #head = 0;
  /** Numbers from the head on that may hold something. */
  #used = 0;

  /** `onRelease` takes what is forgotten. */
  constructor(onRelease: (item: T) => void = () => {}) {
    this.#onRelease = onRelease;
  }

  /** Empties the queue; its window begins at 0 again. */
  reset(): void {
    this.releaseTo((this.#head + this.#used - 1) >>> 0);
    this.#head = 0;
  }

  isInRange(seq: number): boolean {
    return (seq - this.#head) >>> 0 < SEQUENCE_QUEUE_SIZE;
  }

  /** The message, or undefined if it is not held or `seq` is outside the window. */
  get(seq: number): T | undefined {
    return this.isInRange(seq) ? this.#items[seq & MASK] : undefined;
  }

  has(seq: number): boolean {
    return this.get(seq) !== undefined;
  }

  /** @throws {RangeError} when `seq` is outside the window. */
  add(seq: number, item: T): void {
    if (!this.isInRange(seq)) throw new RangeError(`${seq} is outside the window from ${this.#head}`);
    this.#items[seq & MASK] = item;
    this.#misses[seq & MASK] = 0;
    this.#use(seq);
  }

  /** Counts one more token that came by without this message; the count so far, at most 255. */
  miss(seq: number): number {
    const misses = Math.min(this.#misses[seq & MASK]! + 1, MOST_MISSES);
    this.#misses[seq & MASK] = misses;
    this.#use(seq);
    return misses;
  }

  /** Forgets everything up to and including `seq`; the window moves up behind it. */
  releaseTo(seq: number): void {
    const end = (seq + 1) >>> 0;
    this.#used = Math.max(0, this.#used - ((end - this.#head) >>> 0));
    while (this.#head !== end) {
      const item = this.#items[this.#head & MASK];
      if (item !== undefined) this.#onRelease(item);
      this.#items[this.#head & MASK] = undefined;
      this.#misses[this.#head & MASK] = 0;
      this.#head = (this.#head + 1) >>> 0;
    }
  }

  #use(seq: number): void {
    const behindHead = (seq - this.#head) >>> 0;
    if (behindHead >= this.#used) this.#used = Math.min(behindHead + 1, SEQUENCE_QUEUE_SIZE);
  }
}
