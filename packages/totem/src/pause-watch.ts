import type { Nanos } from '@quorate/kernel';

/**
 * Notices that its node was not scheduled for longer than half a token.
 *
 * Joins that waited in the socket meanwhile speak of the past: the first that is read, and whatever is read with it at the
 * same instant, is to be thrown away.
 *
 * Source: corosync exec/totemsrp.c, `pause_flush`.
 */
export class PauseWatch {
  readonly #most: Nanos;
  #now: Nanos = 0;
  /** When the node found itself scheduled again, -1 if it never was away. */
  #resumedAt: Nanos = -1;
  #length: Nanos = 0;
  #isFlushing = false;

  constructor(token: Nanos) {
    this.#most = token / 2;
  }

  /** Whether what is read at this instant is thrown away. */
  get isFlushing(): boolean {
    return this.#isFlushing;
  }

  /** Takes the time of a step. While nobody waits for this node, silence is no pause. */
  tick(now: Nanos, isAwaited: boolean): void {
    const silent = now - this.#now;
    if (silent !== 0) this.#isFlushing = false;
    if (isAwaited && silent > this.#most) {
      this.#resumedAt = now;
      this.#length = silent;
    }
    this.#now = now;
  }

  /** A join is read: how long the pause was that it waited through, undefined if there was none. Flushes from then on. */
  onJoin(): Nanos | undefined {
    if (this.#now !== this.#resumedAt) return undefined;
    this.#isFlushing = true;
    return this.#length;
  }
}
