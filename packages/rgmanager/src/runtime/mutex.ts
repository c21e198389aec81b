import type { Task } from '@quorate/kernel';
import { type Resume, suspend } from './suspend.js';

/** One task at a time; the others wait in the order in which they came. */
export class Mutex {
  readonly #waiting: Resume<void>[] = [];
  #isLocked = false;

  *lock(): Task {
    if (this.#isLocked) yield* suspend<void>((resume) => this.#waiting.push(resume));
    this.#isLocked = true;
  }

  unlock(): void {
    const next = this.#waiting.shift();
    // Handed on, it stays locked: nobody can slip in between.
    if (next === undefined) this.#isLocked = false;
    else next();
  }
}
