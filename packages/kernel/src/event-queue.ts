/**
 * A queue of events in the total order (time, order): a 4-ary heap over parallel arrays.
 *
 * An event is a slot number of the caller's; `order` breaks ties and must be unique among equal times. Nothing is
 * allocated per event; the capacity doubles when it is used up.
 */
export class EventQueue {
  #times: Float64Array;
  #orders: Float64Array;
  #slots: Int32Array;
  #size = 0;

  constructor(capacity = 64) {
    this.#times = new Float64Array(capacity);
    this.#orders = new Float64Array(capacity);
    this.#slots = new Int32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** Time of the first event; Infinity when there is none. */
  get time(): number {
    return this.#size === 0 ? Infinity : this.#times[0]!;
  }

  /** Order of the first event, undefined content when there is none. */
  get order(): number {
    return this.#orders[0]!;
  }

  push(time: number, order: number, slot: number): void {
    if (this.#size === this.#slots.length) this.#grow();
    const times = this.#times;
    const orders = this.#orders;
    const slots = this.#slots;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      const above = times[parent]!;
      if (above < time || (above === time && orders[parent]! < order)) break;
      times[at] = above;
      orders[at] = orders[parent]!;
      slots[at] = slots[parent]!;
      at = parent;
    }
    times[at] = time;
    orders[at] = order;
    slots[at] = slot;
  }

  /** Removes the first event and gives its slot; -1 when there is none. */
  pop(): number {
    if (this.#size === 0) return -1;
    const times = this.#times;
    const orders = this.#orders;
    const slots = this.#slots;
    const first = slots[0]!;
    const size = --this.#size;
    const time = times[size]!;
    const order = orders[size]!;
    const slot = slots[size]!;
    let at = 0;
    for (;;) {
      const firstChild = 4 * at + 1;
      if (firstChild >= size) break;
      let least = firstChild;
      for (let child = firstChild + 1, last = Math.min(firstChild + 4, size); child < last; child++) {
        if (times[child]! < times[least]! || (times[child] === times[least] && orders[child]! < orders[least]!)) {
          least = child;
        }
      }
      if (time < times[least]! || (time === times[least] && order < orders[least]!)) break;
      times[at] = times[least]!;
      orders[at] = orders[least]!;
      slots[at] = slots[least]!;
      at = least;
    }
    times[at] = time;
    orders[at] = order;
    slots[at] = slot;
    return first;
  }

  #grow(): void {
    const capacity = this.#slots.length * 2;
    const times = new Float64Array(capacity);
    const orders = new Float64Array(capacity);
    const slots = new Int32Array(capacity);
    times.set(this.#times);
    orders.set(this.#orders);
    slots.set(this.#slots);
    this.#times = times;
    this.#orders = orders;
    this.#slots = slots;
  }
}
