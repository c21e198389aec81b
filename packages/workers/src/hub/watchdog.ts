import type { Wall } from '../time/wall.js';

/** Parts of the time: so the silence of a whole process that was suspended counts as one of them. */
const TICKS = 10;

/** Barks when nothing was heard for some time. */
export class Watchdog {
  readonly #wall: Wall;
  readonly #bark: () => void;
  #tickMs: number;
  #quietTicks = 0;
  #cancel: () => void = () => {};

  constructor(wall: Wall, timeoutMs: number, bark: () => void) {
    this.#wall = wall;
    this.#bark = bark;
    this.#tickMs = timeoutMs / TICKS;
    this.#wait();
  }

  heard(): void {
    this.#quietTicks = 0;
  }

  /** Begins anew with another patience. */
  restart(timeoutMs: number): void {
    this.stop();
    this.#tickMs = timeoutMs / TICKS;
    this.#quietTicks = 0;
    this.#wait();
  }

  stop(): void {
    this.#cancel();
  }

  #wait(): void {
    this.#cancel = this.#wall.after(this.#tickMs, () => {
      this.#quietTicks += 1;
      if (this.#quietTicks < TICKS) this.#wait();
      else this.#bark();
    });
  }
}
