import type { Task } from '@quorate/kernel';
import { type Scheduler, Signal, wait } from '../scheduler.js';

/** The replays of other nodes' journals that are under way on a mount (`JDF_RECOVERY`). */
export class Recoveries {
  readonly #scheduler: Scheduler;
  readonly #ended = new Signal();
  #running = 0;
  #isOpen = true;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Cleared for good by `close` (`SDF_NORECOVERY`). */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  start(recovery: Task): void {
    this.#running += 1;
    this.#scheduler.start(recovery, () => {
      this.#running -= 1;
      this.#scheduler.notify(this.#ended);
    });
  }

  /** Takes no more, and waits for those under way. */
  *close(): Task {
    this.#isOpen = false;
    while (this.#running > 0) yield* wait(this.#ended);
  }
}
