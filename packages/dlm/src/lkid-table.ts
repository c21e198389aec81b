/**
 * Locks by id. Ids are small positive numbers, the lowest free one first, as the kernel's `idr` gives them out.
 *
 * `take` and `remove` take O(log n) of the ids freed below the highest.
 */
export class LkidTable<T> {
  readonly #entries: (T | undefined)[] = [undefined];
  /** Free ids below the end of the table: a heap, least first. */
  readonly #free: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(lkid: number): T | undefined {
    return this.#entries[lkid];
  }

  /** The id that the next entry gets; `set` has to follow. */
  take(): number {
    if (this.#free.length > 0) return this.#popFree();
    this.#entries.push(undefined);
    return this.#entries.length - 1;
  }

  set(lkid: number, entry: T): void {
    this.#entries[lkid] = entry;
    this.#size += 1;
  }

  remove(lkid: number): void {
    this.#entries[lkid] = undefined;
    this.#size -= 1;
    this.#pushFree(lkid);
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (const entry of this.#entries) if (entry !== undefined) yield entry;
  }

  #pushFree(lkid: number): void {
    const heap = this.#free;
    let at = heap.length;
    heap.push(lkid);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]! <= lkid) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = lkid;
  }

  #popFree(): number {
    const heap = this.#free;
    const least = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return least;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child += 1;
      if (heap[child]! >= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return least;
  }
}
