import { type Nanos, PENDING, type Task, type TaskId, type TaskInput, TaskRunner } from '@quorate/kernel';
import { Refusal } from './refusal.js';

/** A place where tasks wait until something has happened. */
export class Signal {
  readonly waiting: TaskId[] = [];
}

/** Waits for a signal, but not beyond a certain time. */
class Timed {
  readonly signal: Signal;
  readonly until: Nanos;

  constructor(signal: Signal, until: Nanos) {
    this.signal = signal;
    this.until = until;
  }
}

interface Timer {
  readonly id: TaskId;
  readonly timed: Timed;
}

/** Waits for the signal. Whoever is woken looks again whether what it wants is so. */
export function* wait(signal: Signal): Task {
  yield signal;
}

/** Waits for the signal until that time; false when the time came first. */
export function* waitUntil(signal: Signal, until: Nanos): Task<boolean> {
  return (yield new Timed(signal, until)) as boolean;
}

/** Runs a task whose refusal is nobody's result: what made it fail has been told where it happened. */
export function* contained(task: Task<unknown>): Task<unknown> {
  try {
    return yield* task;
  } catch (error) {
    if (error instanceof Refusal) return error.errno;
    throw error;
  }
}

/**
 * The tasks of one mount and what they wait for.
 *
 * Nothing runs inside a call to `notify` or `start`: woken tasks run when `drain` is called at the end of the step, in the
 * order in which they were woken, so that no machine is entered while it is on the stack.
 */
export class Scheduler {
  now: Nanos = 0;
  readonly #runner: TaskRunner;
  readonly #ready: TaskInput[] = [];
  readonly #timers = new Set<Timer>();
  readonly #ended = new Map<TaskId, () => void>();
  readonly #live = new Set<TaskId>();

  constructor() {
    this.#runner = new TaskRunner((_now, id, request) => this.#serve(id, request));
  }

  /** Tasks that have not ended. */
  get size(): number {
    return this.#runner.size;
  }

  deadline(): Nanos {
    let deadline = this.#runner.deadline();
    for (const { timed } of this.#timers) if (timed.until < deadline) deadline = timed.until;
    return deadline;
  }

  /** Starts a task when the step ends. `ended` is called when it has ended or was cancelled. */
  start(task: Task<unknown>, ended?: () => void): TaskId {
    const id = this.#runner.newId();
    if (ended !== undefined) this.#ended.set(id, ended);
    this.#live.add(id);
    this.#ready.push({ kind: 'start', id, task: contained(task) });
    return id;
  }

  /** Ends every task that was started so far, in the order of their starts, as soon as it waits. */
  cancelAll(): void {
    for (const id of this.#live) this.#ready.push({ kind: 'cancel', id });
  }

  notify(signal: Signal): void {
    for (const id of signal.waiting) this.#ready.push({ kind: 'reply', id, value: true });
    signal.waiting.length = 0;
  }

  /** Wakes those whose time has come. */
  wake(): void {
    this.#ready.push({ kind: 'wake' });
    for (const timer of [...this.#timers]) {
      if (timer.timed.until > this.now) continue;
      this.#forget(timer);
      this.#ready.push({ kind: 'reply', id: timer.id, value: false });
    }
  }

  /** Runs what is ready, and what becomes ready by that. */
  drain(): void {
    for (let i = 0; i < this.#ready.length; i++) {
      const input = this.#ready[i]!;
      if (input.kind === 'reply') this.#forgetTimerOf(input.id);
      this.#runner.step(this.now, input, (output) => this.#onEnded(output.id));
      if (input.kind === 'cancel') this.#onEnded(input.id);
    }
    this.#ready.length = 0;
  }

  #serve(id: TaskId, request: unknown): unknown {
    if (request instanceof Signal) {
      request.waiting.push(id);
      return PENDING;
    }
    if (!(request instanceof Timed)) throw new TypeError('a task asked for something that nobody serves');
    if (request.until <= this.now) return false;
    request.signal.waiting.push(id);
    this.#timers.add({ id, timed: request });
    return PENDING;
  }

  #onEnded(id: TaskId): void {
    this.#live.delete(id);
    const ended = this.#ended.get(id);
    this.#ended.delete(id);
    ended?.();
  }

  #forgetTimerOf(id: TaskId): void {
    if (this.#timers.size === 0) return;
    for (const timer of this.#timers) if (timer.id === id) this.#forget(timer);
  }

  #forget(timer: Timer): void {
    this.#timers.delete(timer);
    const { waiting } = timer.timed.signal;
    const at = waiting.indexOf(timer.id);
    if (at >= 0) waiting.splice(at, 1);
  }
}
