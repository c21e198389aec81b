/** What an entry of a linked queue carries. */
export interface Linked<T extends Linked<T>> {
  queue: LinkedQueue<T> | undefined;
  previous: T | undefined;
  next: T | undefined;
}

/** A list whose entries carry the links themselves; each entry is on one list at most. */
export class LinkedQueue<T extends Linked<T>> {
  first: T | undefined = undefined;
  last: T | undefined = undefined;

  get isEmpty(): boolean {
    return this.first === undefined;
  }

  addFirst(entry: T): void {
    entry.queue = this;
    entry.next = this.first;
    if (this.first === undefined) this.last = entry;
    else this.first.previous = entry;
    this.first = entry;
  }

  addLast(entry: T): void {
    entry.queue = this;
    entry.previous = this.last;
    if (this.last === undefined) this.first = entry;
    else this.last.next = entry;
    this.last = entry;
  }

  addBefore(entry: T, next: T): void {
    if (next.previous === undefined) return this.addFirst(entry);
    entry.queue = this;
    entry.next = next;
    entry.previous = next.previous;
    next.previous.next = entry;
    next.previous = entry;
  }

  remove(entry: T): void {
    if (entry.previous === undefined) this.first = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === undefined) this.last = entry.previous;
    else entry.next.previous = entry.previous;
    entry.queue = entry.previous = entry.next = undefined;
  }

  /** Entries from first to last; the one just given may be removed meanwhile. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let entry = this.first; entry !== undefined; ) {
      const next: T | undefined = entry.next;
      yield entry;
      entry = next;
    }
  }
}
