import { assert } from '@quorate/kernel';
import type { Task } from './task.js';

/**
 * The tasks of a logical unit, oldest first, and whose turn it is.
 *
 * Every enabled task stands before every dormant one, so the first dormant task alone decides: a SIMPLE one waits for an
 * ORDERED one in service, an ORDERED one waits for all before it, and whoever is younger waits behind it. HEAD OF QUEUE
 * goes to the front and starts at once, whatever is in service.
 *
 * Source: SAM-5, "Task set management", with one task set for all nexuses (TST 000b).
 */
export class TaskSet {
  readonly #limit: number;
  #first: Task | undefined;
  #last: Task | undefined;
  #firstDormant: Task | undefined;
  #size = 0;
  #inService = 0;
  #orderedInService = 0;

  /** At most `limit` tasks are in service at a time; HEAD OF QUEUE starts even beyond it. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  get inService(): number {
    return this.#inService;
  }

  add(task: Task): void {
    assert(task.state === 'pooled', 'a task is added once');
    task.state = 'dormant';
    this.#size += 1;
    if (task.attribute === 'head-of-queue') this.#putFirst(task);
    else this.#putLast(task);
  }

  /** Takes the next task whose turn has come into service; undefined when nobody's has. */
  enableNext(): Task | undefined {
    const task =
      this.#first?.state === 'dormant' && this.#first.attribute === 'head-of-queue' ? this.#first : this.#next();
    if (task === undefined) return undefined;
    if (task === this.#firstDormant) this.#firstDormant = task.younger;
    task.state = 'enabled';
    this.#inService += 1;
    if (task.attribute === 'ordered') this.#orderedInService += 1;
    return task;
  }

  /** Removes a task that ended or was aborted. */
  remove(task: Task): void {
    assert(task.state !== 'pooled', 'only a task of the set is removed');
    if (task.state === 'enabled') {
      this.#inService -= 1;
      if (task.attribute === 'ordered') this.#orderedInService -= 1;
    }
    if (task === this.#firstDormant) this.#firstDormant = task.younger;
    if (task.older === undefined) this.#first = task.younger;
    else task.older.younger = task.younger;
    if (task.younger === undefined) this.#last = task.older;
    else task.younger.older = task.older;
    task.older = undefined;
    task.younger = undefined;
    task.state = 'pooled';
    this.#size -= 1;
  }

  /** Oldest first. The task at hand may be removed while walking. */
  *tasks(): Iterable<Task> {
    for (let task = this.#first; task !== undefined; ) {
      const { younger } = task;
      yield task;
      task = younger;
    }
  }

  #next(): Task | undefined {
    const task = this.#firstDormant;
    if (task === undefined || this.#inService >= this.#limit || this.#orderedInService > 0) return undefined;
    return task.attribute === 'ordered' && this.#inService > 0 ? undefined : task;
  }

  #putFirst(task: Task): void {
    task.younger = this.#first;
    if (this.#first === undefined) this.#last = task;
    else this.#first.older = task;
    this.#first = task;
  }

  #putLast(task: Task): void {
    task.older = this.#last;
    if (this.#last === undefined) this.#first = task;
    else this.#last.younger = task;
    this.#last = task;
    this.#firstDormant ??= task;
  }
}
