import type { Task } from '@quorate/kernel';

/** Called once with what the suspended task was waiting for. */
export type Resume<T> = (value: T) => void;

/** Asks the runner of a task to leave it alone until somebody resumes it. */
export class Suspend {
  readonly register: (resume: Resume<unknown>) => void;

  constructor(register: (resume: Resume<unknown>) => void) {
    this.register = register;
  }
}

/** Suspends the task; `register` hands what resumes it to whoever will do so. */
export function* suspend<T>(register: (resume: Resume<T>) => void): Task<T> {
  return (yield new Suspend(register as (resume: Resume<unknown>) => void)) as T;
}
