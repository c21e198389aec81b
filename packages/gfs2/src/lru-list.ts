/** What may stand in an `LruList`, in one at a time. */
export interface Listed<T> {
  before: T | undefined;
  behind: T | undefined;
  isListed: boolean;
}

/**
 * Things in the order of their last use, the longest unused first.
 *
 * Everything but a walk is O(1). The first element of a `Set` is not: what was deleted before it is passed one by one.
 */
export class LruList<T extends Listed<T>> {
  #first: T | undefined = undefined;
  #last: T | undefined = undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let item = this.#first; item !== undefined; item = item.behind) yield item;
  }

  /** Puts it at the end, wherever it is. */
  use(item: T): void {
    this.delete(item);
    item.isListed = true;
    item.before = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.behind = item;
    this.#last = item;
    this.#size += 1;
  }

  delete(item: T): void {
    if (!item.isListed) return;
    const { before, behind } = item;
    if (before === undefined) this.#first = behind;
    else before.behind = behind;
    if (behind === undefined) this.#last = before;
    else behind.before = before;
    item.isListed = false;
    item.before = item.behind = undefined;
    this.#size -= 1;
  }
}
