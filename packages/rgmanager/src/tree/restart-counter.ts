/**
 * Counts restarts, or failures, inside a window of time: a tolerance that can be used up.
 *
 * Source: rgmanager src/daemons/restart_counter.c.
 */
export class RestartCounter {
  readonly #expireSec: number;
  readonly #max: number;
  #times: number[] = [];

  /** With `expireSec` 0 nothing is ever forgotten. */
  constructor(expireSec: number, max: number) {
    this.#expireSec = expireSec;
    this.#max = max;
  }

  /** Whether there were `max` of them inside the window. */
  isExceeded(nowSec: number): boolean {
    this.#purge(nowSec);
    return this.#times.length >= this.#max;
  }

  add(nowSec: number): void {
    this.#times.push(nowSec);
    this.#purge(nowSec);
  }

  clear(): void {
    this.#times = [];
  }

  #purge(nowSec: number): void {
    if (this.#expireSec > 0) this.#times = this.#times.filter((time) => nowSec - time < this.#expireSec);
  }
}
