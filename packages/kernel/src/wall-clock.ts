import { type Nanos, SECOND } from './machine.js';
import type { WallTime } from './program.js';

/** Wall time of a second that may have a fraction, to the nanosecond. */
export function wallTimeOf(seconds: number): WallTime {
  const sec = Math.floor(seconds);
  return { sec, nsec: Math.round((seconds - sec) * SECOND) };
}

/** Wall time, told once and carried forward from a machine's own clock. Before it is told it counts from 1970. */
export class WallClock {
  /** At instant 0 of the machine's own clock: seconds, and ns beside them. */
  #sec = 0;
  #nsec: Nanos = 0;

  /** It is `wall` now. */
  set(now: Nanos, wall: WallTime): void {
    this.#sec = wall.sec;
    this.#nsec = wall.nsec - now;
  }

  /** Somebody has set the clock: by so much forward, or back. */
  step(offset: Nanos): void {
    this.#nsec += offset;
  }

  /** time(2): whole seconds since 1970. */
  seconds(now: Nanos): number {
    return this.#sec + Math.floor((this.#nsec + now) / SECOND);
  }

  at(now: Nanos): WallTime {
    const nsec = this.#nsec + now;
    const sec = Math.floor(nsec / SECOND);
    return { sec: this.#sec + sec, nsec: nsec - sec * SECOND };
  }
}
