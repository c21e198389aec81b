/** Handles below are looked up in an array. */
const LOW_HANDLES = 65_536;

/** Locks by their callers' handles, which may be any numbers; small ones cost no hashing. */
export class HandleTable<T> {
  readonly #low: (T | undefined)[] = [];
  readonly #others: Map<number, T> = new Map();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(handle: number): T | undefined {
    return this.#isLow(handle) ? this.#low[handle] : this.#others.get(handle);
  }

  /** The handle has to be free. */
  set(handle: number, entry: T): void {
    this.#size += 1;
    if (!this.#isLow(handle)) this.#others.set(handle, entry);
    else {
      while (this.#low.length < handle) this.#low.push(undefined);
      this.#low[handle] = entry;
    }
  }

  delete(handle: number): void {
    if (this.get(handle) === undefined) return;
    this.#size -= 1;
    if (this.#isLow(handle)) this.#low[handle] = undefined;
    else this.#others.delete(handle);
  }

  /** In no particular order. */
  *values(): Generator<T, void, undefined> {
    for (const entry of this.#low) if (entry !== undefined) yield entry;
    yield* this.#others.values();
  }

  #isLow(handle: number): boolean {
    return handle >= 0 && handle < LOW_HANDLES && Number.isInteger(handle);
  }
}
