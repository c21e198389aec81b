import type { Nanos } from '@quorate/kernel';

/** How far the cluster's clock may go. */
export interface Grant {
  /** The clock stands still here until a later grant. */
  readonly until: Nanos;
  /** Where and when it starts anew after it stood still, or at another speed; absent while it runs on. */
  readonly from?: ClockStart;
}

interface ClockStart {
  readonly at: Nanos;
  /** On the wall that all threads share; it may lie ahead when `at` does. */
  readonly wallMs: number;
  /** Cluster time per wall time from then on; absent while that stays what it was. */
  readonly speed?: number;
}

/** From `at` and `wallMs` on, time runs at `speed`. */
interface Stretch {
  readonly at: Nanos;
  readonly wallMs: number;
  readonly speed: number;
}

/** Nanoseconds of cluster time in a millisecond of wall time at speed 1. */
const NANOS_PER_MS = 1_000_000;

/**
 * Cluster time as one thread reads it off the wall: `min(until, at + elapsed × speed)`.
 *
 * Another speed begins where the clock would stand: until then the stretch before that counts.
 *
 * All threads of a run have the same grants and the same wall, so their readings differ only by grants under way. It never
 * runs backwards: a new start is where the clock stands.
 */
export class SliceClock {
  #before: Stretch;
  #stretch: Stretch;
  #until: Nanos = 0;

  /** `speed`: nanoseconds of cluster time per nanosecond of wall time. */
  constructor(speed: number) {
    this.#stretch = { at: 0, wallMs: 0, speed };
    this.#before = this.#stretch;
  }

  /** What was granted last; it may begin at the next slice only. */
  get speed(): number {
    return this.#stretch.speed;
  }

  get until(): Nanos {
    return this.#until;
  }

  grant(grant: Grant): void {
    if (grant.from !== undefined) {
      this.#before = this.#stretch;
      this.#stretch = { speed: this.#stretch.speed, ...grant.from };
    }
    this.#until = grant.until;
  }

  /** Cluster time at that moment on the wall. */
  at(wallMs: number): Nanos {
    const isBefore = wallMs < this.#stretch.wallMs;
    const { at, wallMs: startMs, speed } = isBefore ? this.#before : this.#stretch;
    if (wallMs <= startMs) return at;
    const end = isBefore ? this.#stretch.at : this.#until;
    return Math.min(end, at + Math.floor((wallMs - startMs) * speed * NANOS_PER_MS));
  }

  /** When the clock will show `at`; Infinity if that is not granted yet. */
  wallMs(at: Nanos): number {
    if (at > this.#until) return Infinity;
    const stretch = at < this.#stretch.at ? this.#before : this.#stretch;
    return stretch.wallMs + (at - stretch.at) / (stretch.speed * NANOS_PER_MS);
  }
}
