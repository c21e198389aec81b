import { fork, join, type Nanos, SECOND, type Task, type TaskId } from '@quorate/kernel';
import type { Lab } from '../lab.js';

/** Something that a machine was asked to do and has not done yet. */
export interface Pending {
  readonly machine: string;
  readonly command: string;
  readonly since: Nanos;
}

/** What is to be said of them, a phrase each. */
export function waiting(pending: readonly Pending[]): readonly string[] {
  return pending.map(({ machine, command }) => `"${command}" on ${machine} has not ended`);
}

/** Waits for tasks to end, at most so long: whether all did. */
export function* joinAll(lab: Lab, tasks: readonly TaskId[], most: Nanos): Task<boolean> {
  let left = tasks.length;
  for (const task of tasks) {
    yield* fork(
      (function* (): Task {
        yield* join(task);
        left -= 1;
      })(),
    );
  }
  const until = lab.now() + most;
  while (left > 0 && lab.now() < until) yield* lab.wait(SECOND / 4);
  return left === 0;
}

/** Runs a command and waits for it, at most so long. */
export function* brief(lab: Lab, machine: string, command: string, most: Nanos): Task {
  const task = yield* fork(lab.exec(machine, command));
  yield* joinAll(lab, [task], most);
}
