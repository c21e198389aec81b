import type { Lkb } from './resource.js';

/** Locks that await a reply, in the order in which they began to (`ls_waiters`). */
export class WaiterList {
  #first: Lkb | undefined = undefined;
  #last: Lkb | undefined = undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** One that waits already keeps its place. */
  add(lkb: Lkb): void {
    if (lkb.isWaiting) return;
    lkb.isWaiting = true;
    lkb.previousWaiter = this.#last;
    if (this.#last === undefined) this.#first = lkb;
    else this.#last.nextWaiter = lkb;
    this.#last = lkb;
    this.#size += 1;
  }

  delete(lkb: Lkb): void {
    if (!lkb.isWaiting) return;
    const { previousWaiter: previous, nextWaiter: next } = lkb;
    if (previous === undefined) this.#first = next;
    else previous.nextWaiter = next;
    if (next === undefined) this.#last = previous;
    else next.previousWaiter = previous;
    lkb.isWaiting = false;
    lkb.previousWaiter = lkb.nextWaiter = undefined;
    this.#size -= 1;
  }

  *[Symbol.iterator](): Generator<Lkb, void, undefined> {
    for (let lkb = this.#first; lkb !== undefined; lkb = lkb.nextWaiter) yield lkb;
  }
}
