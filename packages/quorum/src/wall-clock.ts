import { type Nanos, SECOND, type WallTime } from '@quorate/kernel';

/** Wall time carried forward from the instant at which it was told. Before that it stands at 1970. */
export class WallClock {
  #wall: WallTime = { sec: 0, nsec: 0 };
  #toldAt: Nanos = 0;
  /** Sum of the steps since it was told. */
  #stepped: Nanos = 0;

  set(now: Nanos, wall: WallTime): void {
    this.#wall = wall;
    this.#toldAt = now;
    this.#stepped = 0;
  }

  step(offset: Nanos): void {
    this.#stepped += offset;
  }

  /** Seconds since 1970, rounded down. */
  secondsAt(now: Nanos): number {
    return this.#wall.sec + Math.floor((this.#wall.nsec + (now - this.#toldAt) + this.#stepped) / SECOND);
  }
}
