import { assert, type Nanos } from '@quorate/kernel';
import { type Item, instantOf } from '../wire/report.js';

interface Lane {
  items: Item[];
  next: number;
}

/**
 * Merges what the workers report into one order: by instant, then by worker, then as each of them told it.
 *
 * What is at or before an instant that all workers have acknowledged is complete. So the order is that of causes and effects:
 * whatever is handled is handled after it was sent.
 */
export class Timeline {
  readonly #lanes: readonly Lane[];
  #now: Nanos = 0;

  constructor(workers: number) {
    this.#lanes = Array.from({ length: workers }, () => ({ items: [], next: 0 }));
  }

  /** Instants of a worker's items never decrease. */
  add(worker: number, items: Iterable<Item>): void {
    const lane = this.#lanes[worker]!;
    if (lane.next > 0) {
      lane.items.splice(0, lane.next);
      lane.next = 0;
    }
    for (const item of items) {
      assert(instantOf(item) >= this.#now, 'a worker told something of a time that was settled');
      lane.items.push(item);
    }
  }

  /** Instant of the first item; Infinity when there is none. */
  deadline(): Nanos {
    const lane = this.#first();
    return lane === undefined ? Infinity : instantOf(lane.items[lane.next]!);
  }

  /** Removes the first item. */
  shift(): Item | undefined {
    const lane = this.#first();
    if (lane === undefined) return undefined;
    const item = lane.items[lane.next]!;
    lane.next += 1;
    this.#now = instantOf(item);
    return item;
  }

  #first(): Lane | undefined {
    let first: Lane | undefined;
    let at = Infinity;
    for (const lane of this.#lanes) {
      const item = lane.items[lane.next];
      if (item === undefined || instantOf(item) >= at) continue;
      first = lane;
      at = instantOf(item);
    }
    return first;
  }
}
