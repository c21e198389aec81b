import type { Nanos } from '@quorate/kernel';

const MILLION = 1_000_000;

/**
 * A node's monotonic clock: it drifts against global time by some parts per million.
 *
 * With global time g since the last change of the drift, dt = g - g0:
 * local = l0 + dt + floor(dt / 10^6) * ppm + floor((dt mod 10^6) * ppm / 10^6).
 */
export class NodeClock {
  #ppm: number;
  #globalBase: Nanos = 0;
  #localBase: Nanos = 0;

  /** `ppm` between -500 000 and 500 000; 0 is a perfect clock. */
  constructor(ppm = 0) {
    this.#ppm = ppm;
  }

  get ppm(): number {
    return this.#ppm;
  }

  /** Changes the drift from global time `at` on; the clock neither jumps nor runs backwards. */
  setDrift(at: Nanos, ppm: number): void {
    this.#localBase = this.local(at);
    this.#globalBase = at;
    this.#ppm = ppm;
  }

  local(global: Nanos): Nanos {
    const dt = global - this.#globalBase;
    const ppm = this.#ppm;
    if (ppm === 0) return this.#localBase + dt;
    const millions = Math.floor(dt / MILLION);
    return this.#localBase + dt + millions * ppm + Math.floor(((dt - millions * MILLION) * ppm) / MILLION);
  }

  /** The first global instant at which the local clock shows at least `local`: a timer never fires early. */
  global(local: Nanos): Nanos {
    if (local === Infinity) return Infinity;
    const dl = local - this.#localBase;
    if (this.#ppm === 0) return this.#globalBase + dl;
    // The estimate is off by a few ns at most; it is moved to the first instant that is late enough.
    let global = this.#globalBase + Math.floor((dl * MILLION) / (MILLION + this.#ppm)) - 2;
    while (this.local(global) < local) global += 1;
    return global;
  }
}
