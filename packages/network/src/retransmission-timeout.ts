import { MILLISECOND, type Nanos, SECOND } from '@quorate/kernel';

/** Granularity of the clock that RFC 6298 adds at least. */
const G: Nanos = MILLISECOND;

export interface TimeoutLimits {
  /** Before the first round trip was measured: RFC 6298 says 1 s. */
  readonly initial: Nanos;
  /** Linux uses 200 ms where the RFC says 1 s. */
  readonly least: Nanos;
  readonly most: Nanos;
}

/** 1 s at first, then 200 ms to 60 s (120 s on Linux). */
export const TIMEOUT_LIMITS: TimeoutLimits = { initial: SECOND, least: 200 * MILLISECOND, most: 60 * SECOND };

/** The retransmission timeout of one connection, in whole nanoseconds. Source: RFC 6298, sections 2 and 5. */
export class RetransmissionTimeout {
  readonly #limits: TimeoutLimits;
  /** `SRTT`; -1 before the first measurement. */
  #srtt: Nanos = -1;
  /** `RTTVAR`. */
  #rttvar: Nanos = 0;
  #rto: Nanos;

  constructor(limits: TimeoutLimits) {
    this.#limits = limits;
    this.#rto = limits.initial;
  }

  /** `RTO`. */
  get value(): Nanos {
    return this.#rto;
  }

  /** Takes the round trip of a segment that was sent once only (Karn's rule). */
  measured(r: Nanos): void {
    if (this.#srtt < 0) {
      this.#srtt = r;
      this.#rttvar = Math.floor(r / 2);
    } else {
      this.#rttvar = Math.floor((3 * this.#rttvar + Math.abs(this.#srtt - r)) / 4);
      this.#srtt = Math.floor((7 * this.#srtt + r) / 8);
    }
    this.restore();
  }

  /** (5.5) Doubles it: the timer ran out. */
  backOff(): void {
    this.#rto = Math.min(this.#rto * 2, this.#limits.most);
  }

  /** Ends the doubling: new data was acknowledged. */
  restore(): void {
    if (this.#srtt < 0) this.#rto = this.#limits.initial;
    else {
      const rto = this.#srtt + Math.max(G, 4 * this.#rttvar);
      this.#rto = Math.min(Math.max(rto, this.#limits.least), this.#limits.most);
    }
  }
}
