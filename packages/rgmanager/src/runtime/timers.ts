import type { Nanos } from '@quorate/kernel';

interface Timer {
  readonly at: Nanos;
  readonly fire: () => void;
}

/** Calls that are due at an instant, in the order of their instants, then in that of their setting. */
export class Timers {
  readonly #timers = new Map<number, Timer>();
  #lastId = 0;

  /** Gives the id to `clear` it by. */
  set(at: Nanos, fire: () => void): number {
    this.#lastId += 1;
    this.#timers.set(this.#lastId, { at, fire });
    return this.#lastId;
  }

  clear(id: number): void {
    this.#timers.delete(id);
  }

  deadline(): Nanos {
    let deadline = Infinity;
    for (const { at } of this.#timers.values()) deadline = Math.min(deadline, at);
    return deadline;
  }

  wake(now: Nanos): void {
    const due = [...this.#timers].filter(([, timer]) => timer.at <= now).sort(([, a], [, b]) => a.at - b.at);
    for (const [id, timer] of due) if (this.#timers.delete(id)) timer.fire();
  }
}
