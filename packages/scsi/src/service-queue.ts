import { EventQueue, type Nanos } from '@quorate/kernel';
import { UNIMPAIRED } from './impairment.js';
import { Opcode } from './opcode.js';
import { baseTime, type ServiceModel } from './service-model.js';
import { Task } from './task.js';

/**
 * The disk behind a logical unit as far as time goes: which commands it works on, and when it will be done with each.
 *
 * Owns the tasks and uses them again and again: what a task has allocated once serves the next command.
 */
export class ServiceQueue {
  readonly #model: ServiceModel;
  readonly #tasks: Task[] = [];
  readonly #free: Task[] = [];
  /** Ends of service, by time and then in the order in which service began. */
  readonly #ends = new EventQueue();
  #lastOrder = 0;
  /** When the shared path will have moved the data of all commands that began so far. */
  #pathFreeAt: Nanos = 0;

  constructor(model: ServiceModel) {
    this.#model = model;
  }

  /** When the next command is done; Infinity when there is none. */
  get deadline(): Nanos {
    return this.#ends.time;
  }

  /** A task to be loaded. */
  take(): Task {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const task = new Task(this.#tasks.length);
    this.#tasks.push(task);
    return task;
  }

  giveBack(task: Task): void {
    task.unload();
    this.#free.push(task);
  }

  /** Begins the service of a task that moves that many bytes over the path. A refused one takes no disk time. */
  begin(now: Nanos, task: Task, bytes: number): void {
    let duration = this.#model.other;
    if (task.refusal === undefined) duration = baseTime(this.#model, task.command!.service) + task.extraTime;
    const { impairment } = task.from.nexus;
    if (impairment !== UNIMPAIRED) {
      duration = Math.round(duration * impairment.slow);
      if (task.cdb[0] === Opcode.persistentReserveOut) duration += impairment.reserveOut;
    }
    let start = now;
    if (bytes > 0) {
      this.#pathFreeAt = Math.max(now, this.#pathFreeAt) + bytes * this.#model.nanosPerByte;
      start = this.#pathFreeAt;
    }
    this.#lastOrder += 1;
    task.order = this.#lastOrder;
    this.#ends.push(Math.max(start + duration, impairment.hungUntil), task.order, task.slot);
  }

  /** A task in service goes on until that instant. */
  prolong(task: Task, until: Nanos): void {
    this.#lastOrder += 1;
    task.order = this.#lastOrder;
    this.#ends.push(until, task.order, task.slot);
  }

  /** The next task that is done by now; undefined when there is none. */
  takeDone(now: Nanos): Task | undefined {
    while (this.#ends.time <= now) {
      const order = this.#ends.order;
      const task = this.#tasks[this.#ends.pop()]!;
      if (isInService(task, order)) return task;
    }
    return undefined;
  }

  /** Forgets ends of tasks that were aborted, so that nobody is woken for them; with no task left the path is idle. */
  forgetAborted(): void {
    while (this.#ends.size > 0) {
      const order = this.#ends.order;
      const time = this.#ends.time;
      const slot = this.#ends.pop();
      if (!isInService(this.#tasks[slot]!, order)) continue;
      this.#ends.push(time, order, slot);
      return;
    }
    this.#pathFreeAt = 0;
  }
}

/** A task that left the set and came back in another command has another order. */
function isInService(task: Task, order: number): boolean {
  return task.state === 'enabled' && task.order === order;
}
