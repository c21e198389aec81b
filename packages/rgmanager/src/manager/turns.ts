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
  readonly #waiting = new Map<number, Resume<boolean>>();
  #last = 0;

  constructor(awaits: (turn: Turn) => void) {
    this.#awaits = awaits;
  }

  /** How many there were. */
  get count(): number {
    return this.#last;
  }

  /** False when it is not to be performed. */
  *take(service: string, request: number): Task<boolean> {
    this.#last += 1;
    const id = this.#last;
    return yield* suspend<boolean>((resume) => {
      this.#waiting.set(id, resume);
      this.#awaits({ id, service, request });
    });
  }

  end(id: number, isGiven: boolean): void {
    const resume = this.#waiting.get(id);
    this.#waiting.delete(id);
    resume?.(isGiven);
  }
}
