import type { Nanos } from '@quorate/kernel';

/**
 * The question to all listeners of this node whether it may leave the cluster; who does not answer in time says no.
 *
 * Source: cman/daemon/commands.c, `do_cmd_try_shutdown` and `check_shutdown_status`.
 */
export class ShutdownVote {
  readonly isRemoved: boolean;
  readonly #isForced: boolean;
  readonly #expected: number;
  readonly #deadline: Nanos;
  #yes = 0;
  #no = 0;

  constructor(options: { isRemoved: boolean; isForced: boolean; listeners: number; deadline: Nanos }) {
    this.isRemoved = options.isRemoved;
    this.#isForced = options.isForced;
    this.#expected = options.listeners;
    this.#deadline = options.deadline;
  }

  deadline(): Nanos {
    return this.#deadline;
  }

  reply(isYes: boolean): void {
    if (isYes) this.#yes += 1;
    else this.#no += 1;
  }

  /** Undefined while answers are missing. A forced leave waits for them too, and goes whatever they say. */
  outcome(now: Nanos): 'leave' | 'stay' | undefined {
    const isOver = this.#yes + this.#no >= this.#expected || now >= this.#deadline;
    if (!isOver) return undefined;
    return this.#yes >= this.#expected || this.#isForced ? 'leave' : 'stay';
  }
}
