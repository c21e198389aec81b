import { type Nanos, SECOND } from '@quorate/kernel';

/** Wall time, set once and carried forward from the node's own clock. */
export class WallClock {
  /** At instant 0 of the node's own clock: seconds, and ns beside them. */
  #seconds = 0;
  #rest: Nanos = 0;

  /** It is `wall` seconds since 1970 now; a fraction counts to the nanosecond. */
  set(now: Nanos, wall: number): void {
    this.#seconds = Math.floor(wall);
    this.#rest = Math.round((wall - this.#seconds) * SECOND) - now;
  }

  step(offset: Nanos): void {
    this.#rest += offset;
  }

  /** time(2): whole seconds since 1970. */
  time(now: Nanos): number {
    return this.#seconds + Math.floor((this.#rest + now) / SECOND);
  }
}
