import type { Nanos } from '@quorate/kernel';
import { lookaheadOf } from './lookahead.js';
import type { Grant, SliceClock } from './slice-clock.js';
import type { Wall } from './wall.js';

/** What a pacer keeps in time: the machines of one worker. */
export interface Paced {
  /** The least deadline of its machines. */
  deadline(): Nanos;
  /** Steps those that are due at `now`. */
  wake(now: Nanos): void;
  /** Sends what the turn has produced. */
  flush(): void;
  /** Tells the hub that its clock has passed the end of that slice, with everything observed so far. */
  acknowledge(slice: number): void;
}

export interface PacerConfig {
  readonly clock: SliceClock;
  readonly wall: Wall;
  readonly sliceNanos: Nanos;
}

/**
 * Gives the machines of one worker their time.
 *
 * What is due is done at its own instant, however late the thread is; what was sent from elsewhere is handled right after the
 * instant at which it was, and after what was due before that. So causes precede effects across workers, and as long as the
 * threads keep up the order is that of the simulator. What comes too late for that is handled at the instant handed out
 * last: they never decrease, and never lie in a slice that was acknowledged.
 *
 * A timer of the platform is late by up to a millisecond of the wall, which is `speed` milliseconds here: what is due within
 * that time, the lookahead, is done at once.
 */
export class Pacer {
  readonly #paced: Paced;
  readonly #config: PacerConfig;
  #now: Nanos = 0;
  #acknowledged = 0;
  #timerMs = Infinity;
  #cancelTimer: () => void = () => {};

  constructor(paced: Paced, config: PacerConfig) {
    this.#paced = paced;
    this.#config = config;
  }

  /** Cluster time. */
  reading(): Nanos {
    return this.#config.clock.at(this.#config.wall.nowMs());
  }

  /** The instant at which to handle what a machine elsewhere sent at `sentAt`; does before it what is due by then. */
  after(sentAt: Nanos): Nanos {
    this.#wake(sentAt);
    return this.#advance(sentAt + 1);
  }

  grant(grant: Grant): void {
    this.#config.clock.grant(grant);
    this.#turn();
  }

  /** A turn that begins with some work: something was heard. */
  during(work: () => void): void {
    work();
    this.#turn();
  }

  /** Does what is due, sends what came of the turn, acknowledges slices, and sets the timer. */
  #turn(): void {
    const reading = this.reading();
    // What was heard may have put the machines ahead of the clock: what is due by their own time is due.
    this.#wake(Math.max(reading + lookaheadOf(this.#config.clock.speed), this.#now));
    this.#paced.flush();
    this.#acknowledge(reading);
    this.#setTimer();
  }

  #advance(to: Nanos): Nanos {
    if (to > this.#now) this.#now = to;
    return this.#now;
  }

  #wake(limit: Nanos): void {
    for (let due = this.#paced.deadline(); due <= limit; due = this.#paced.deadline()) {
      this.#paced.wake(this.#advance(due));
    }
  }

  #acknowledge(reading: Nanos): void {
    const slice = Math.floor(reading / this.#config.sliceNanos);
    if (slice === this.#acknowledged) return;
    this.#acknowledged = slice;
    this.#paced.acknowledge(slice);
    this.#advance(slice * this.#config.sliceNanos + 1);
  }

  #setTimer(): void {
    const { clock, wall, sliceNanos } = this.#config;
    const next = Math.min(this.#paced.deadline() - lookaheadOf(clock.speed), (this.#acknowledged + 1) * sliceNanos);
    const atMs = clock.wallMs(next);
    // A timer that comes too early only sets the next one: cheaper than moving it with every deadline.
    if (atMs >= this.#timerMs) return;
    this.#cancelTimer();
    this.#timerMs = atMs;
    this.#cancelTimer = wall.after(Math.max(0, Math.ceil(atMs - wall.nowMs())), () => {
      this.#timerMs = Infinity;
      this.#turn();
    });
  }
}
