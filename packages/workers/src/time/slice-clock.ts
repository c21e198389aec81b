import type { Nanos } from '@quorate/kernel';

/** How far the cluster's clock may go. */
export interface Grant {
  /** The clock stands still here until a later grant. */
  readonly until: Nanos;
  /** Where and when it starts anew after it stood still; absent while it runs on. */
  readonly from?: ClockStart;
}

export interface ClockStart {
  readonly at: Nanos;
  /** On the wall that all threads share. */
  readonly wallMs: number;
}

/** Nanoseconds of cluster time in a millisecond of wall time at speed 1. */
const NANOS_PER_MS = 1_000_000;

/**
 * Cluster time as one thread reads it off the wall: `min(until, at + elapsed × speed)`.
 *
 * All threads of a run have the same grants and the same wall, so their readings differ only by grants under way. It never
 * runs backwards: a new start is where the clock stands.
 */
export class SliceClock {
  readonly #rate: number;
  #start: ClockStart = { at: 0, wallMs: 0 };
  #until: Nanos = 0;

  /** `speed`: nanoseconds of cluster time per nanosecond of wall time. */
  constructor(speed: number) {
    this.#rate = speed * NANOS_PER_MS;
  }

  get until(): Nanos {
    return this.#until;
  }

  grant(grant: Grant): void {
    if (grant.from !== undefined) this.#start = grant.from;
    this.#until = grant.until;
  }

  /** Cluster time at that moment on the wall. */
  at(wallMs: number): Nanos {
    const { at, wallMs: startMs } = this.#start;
    if (wallMs <= startMs) return at;
    return Math.min(this.#until, at + Math.floor((wallMs - startMs) * this.#rate));
  }

  /** When the clock will show `at`; Infinity if that is not granted yet. */
  wallMs(at: Nanos): number {
    if (at > this.#until) return Infinity;
    return this.#start.wallMs + (at - this.#start.at) / this.#rate;
  }
}
