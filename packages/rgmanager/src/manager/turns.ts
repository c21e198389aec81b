import type { Task } from '@quorate/kernel';
import { type Resume, suspend } from '../runtime/suspend.js';

/** A request that could be performed now. */
export interface Turn {
  readonly id: number;
  readonly service: string;
  /** `Request`. */
  readonly request: number;
}

/** Requests of services that wait until whoever drives the machine says that it is their turn. */
export class Turns {
  readonly #awaits: (turn: Turn) => void;
  readonly #waiting = new Map<number, Resume<void>>();
  #last = 0;

  constructor(awaits: (turn: Turn) => void) {
    this.#awaits = awaits;
  }

  /** How many there were. */
  get count(): number {
    return this.#last;
  }

  *take(service: string, request: number): Task {
    this.#last += 1;
    const id = this.#last;
    yield* suspend<void>((resume) => {
      this.#waiting.set(id, resume);
      this.#awaits({ id, service, request });
    });
  }

  give(id: number): void {
    const resume = this.#waiting.get(id);
    this.#waiting.delete(id);
    resume?.();
  }
}
