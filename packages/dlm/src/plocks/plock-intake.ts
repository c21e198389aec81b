import { type Nanos, SECOND } from '@quorate/kernel';

/**
 * The device that processes' requests come from: with `plock_rate_limit` only so many are read in a second.
 *
 * After the first second it is one less than the limit, as in the original.
 *
 * Source: dlm dlm_controld/plock.c, `limit_plocks`.
 */
export class PlockIntake<Request> {
  readonly #rateLimit: number;
  readonly #queue: Request[] = [];
  #readCount = 0;
  #secondAt: Nanos = 0;
  #blockedUntil: Nanos = Infinity;

  constructor(rateLimit: number) {
    this.#rateLimit = rateLimit;
  }

  /** When more may be read; Infinity when nothing waits for that. */
  get deadline(): Nanos {
    return this.#queue.length === 0 ? Infinity : this.#blockedUntil;
  }

  add(request: Request): void {
    this.#queue.push(request);
  }

  /** The next request that may be read now. */
  next(now: Nanos): Request | undefined {
    return this.#queue.length === 0 || this.#isLimited(now) ? undefined : this.#read();
  }

  #read(): Request | undefined {
    this.#readCount += 1;
    return this.#queue.shift();
  }

  #isLimited(now: Nanos): boolean {
    if (this.#rateLimit === 0 || this.#readCount === 0 || this.#readCount % this.#rateLimit !== 0) return false;
    this.#blockedUntil = this.#secondAt + SECOND;
    if (now < this.#blockedUntil) return true;
    this.#secondAt = now;
    this.#readCount += 1;
    return false;
  }
}
