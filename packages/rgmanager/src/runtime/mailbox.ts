import type { Nanos, Task } from '@quorate/kernel';
import type { Runtime } from './runtime.js';

/** Items for one reader, which can wait for them. */
export class Mailbox<T> {
  readonly #runtime: Runtime;
  readonly #items: T[] = [];
  #awake: (() => void) | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get length(): number {
    return this.#items.length;
  }

  put(item: T): void {
    this.#items.push(item);
    this.#awake?.();
  }

  /** The next item; undefined when none came in time. */
  *take(timeout: Nanos): Task<T | undefined> {
    if (this.#items.length === 0) {
      yield* this.#runtime.waitFor<void>(timeout, (resume) => {
        this.#awake = resume;
      });
      this.#awake = undefined;
    }
    // Looked at again even when the time is up: an item may have come in the meantime.
    return this.#items.shift();
  }
}
