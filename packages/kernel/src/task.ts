import { assert } from './errors.js';
import type { Machine, Nanos } from './machine.js';

/**
 * A sequence that would be unreadable as a state machine: a generator that yields requests and is resumed with replies.
 *
 * Requests are whatever its runner serves. Bytes in a reply are lent until the next yield.
 */
export type Task<Result = void> = Generator<unknown, Result, unknown>;

export type TaskId = number;

class Sleep {
  readonly for: Nanos;

  constructor(duration: Nanos) {
    this.for = duration;
  }
}

class Fork {
  readonly task: Task<unknown>;

  constructor(task: Task<unknown>) {
    this.task = task;
  }
}

class Join {
  readonly id: TaskId;

  constructor(id: TaskId) {
    this.id = id;
  }
}

/** Waits that long by the clock of the machine that runs the task. */
export function* sleep(duration: Nanos): Task {
  yield new Sleep(duration);
}

/** Starts another task beside this one; it runs when this one next waits, and is cancelled with it. */
export function* fork(task: Task<unknown>): Task<TaskId> {
  return (yield new Fork(task)) as TaskId;
}

/**
 * Waits for a task to end and gives its result; undefined if it was cancelled or its result was taken before. A task is
 * waited for by one other at most.
 */
export function* join(id: TaskId): Task<unknown> {
  return yield new Join(id);
}

/** What a server answers when the reply comes later, through an input `reply`. */
export const PENDING: unique symbol = Symbol('pending');

export type TaskInput =
  | { readonly kind: 'start'; readonly id: TaskId; readonly task: Task<unknown> }
  | { readonly kind: 'reply'; readonly id: TaskId; readonly value: unknown }
  | { readonly kind: 'cancel'; readonly id: TaskId }
  | { readonly kind: 'wake' };

export type TaskOutput = { readonly kind: 'ended'; readonly id: TaskId; readonly result: unknown };

/**
 * Serves one request of a task: gives the reply at once, or PENDING.
 *
 * It may start, reply to and cancel tasks of the same runner: such inputs wait until the running task yields.
 */
export type ServeTask = (now: Nanos, id: TaskId, request: unknown) => unknown;

interface Running {
  readonly id: TaskId;
  readonly task: Task<unknown>;
  /** When its sleep ends; Infinity while it waits for something else. */
  wakeAt: Nanos;
  joiner: TaskId | undefined;
  isCancelled: boolean;
  /** What it forked and what has not ended: cancelled with it. */
  forks: Set<TaskId> | undefined;
  readonly parent: Running | undefined;
}

/**
 * Drives tasks: serves their sleeps and forks itself and hands every other request to its server.
 *
 * Tasks that are due at the same instant run in the order in which they fell asleep. Task ids are the caller's for
 * `start` (use `newId`), so that it can know them before the first request arrives.
 */
export class TaskRunner implements Machine<TaskInput, TaskOutput> {
  readonly #serve: ServeTask;
  readonly #tasks = new Map<TaskId, Running>();
  /** Results of forked tasks that ended before anybody joined them; those without a result leave nothing behind. */
  readonly #results = new Map<TaskId, unknown>();
  readonly #forked = new Set<TaskId>();
  readonly #sleeping = new Set<Running>();
  readonly #queue: TaskInput[] = [];
  #isRunning = false;
  #lastId = 0;
  #deadline: Nanos = Infinity;

  constructor(serve: ServeTask) {
    this.#serve = serve;
  }

  newId(): TaskId {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Number of tasks that have not ended. */
  get size(): number {
    return this.#tasks.size;
  }

  has(id: TaskId): boolean {
    return this.#tasks.has(id);
  }

  /** Unlike other machines it may be stepped by its own server: the input is then queued until the task yields. */
  step(now: Nanos, input: TaskInput, emit: (output: TaskOutput) => void): void {
    this.#queue.push(input);
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        switch (next.kind) {
          case 'start':
            this.#onStart(now, next.id, next.task, emit);
            break;
          case 'reply':
            this.#onReply(now, next.id, next.value, emit);
            break;
          case 'cancel':
            this.#onCancel(next.id);
            break;
          case 'wake':
            this.#onWake(now, emit);
            break;
        }
      }
    } finally {
      this.#isRunning = false;
    }
  }

  deadline(): Nanos {
    return this.#deadline;
  }

  inspect(): {
    readonly tasks: readonly { readonly id: TaskId; readonly wakeAt: Nanos }[];
    readonly resultsKept: number;
  } {
    const tasks = [...this.#tasks.values()].map(({ id, wakeAt }) => ({ id, wakeAt }));
    return { tasks, resultsKept: this.#results.size };
  }

  #onStart(now: Nanos, id: TaskId, task: Task<unknown>, emit: (output: TaskOutput) => void): void {
    this.#resume(now, this.#register(id, task, undefined), undefined, emit);
  }

  #onReply(now: Nanos, id: TaskId, value: unknown, emit: (output: TaskOutput) => void): void {
    const running = this.#tasks.get(id);
    // A reply to a task that was cancelled meanwhile is nobody's.
    if (running !== undefined) this.#resume(now, running, value, emit);
  }

  #onCancel(id: TaskId): void {
    const running = this.#tasks.get(id);
    if (running === undefined) return;
    running.isCancelled = true;
    this.#forget(running);
    this.#forked.delete(id);
    for (const fork of running.forks ?? []) this.#onCancel(fork);
    running.task.return(undefined);
    if (running.joiner !== undefined) this.#queue.push({ kind: 'reply', id: running.joiner, value: undefined });
  }

  #onWake(now: Nanos, emit: (output: TaskOutput) => void): void {
    if (now < this.#deadline) return;
    const due = [...this.#sleeping].filter((running) => running.wakeAt <= now);
    due.sort((a, b) => a.wakeAt - b.wakeAt);
    for (const running of due) {
      if (running.isCancelled || running.wakeAt > now) continue;
      this.#sleeping.delete(running);
      running.wakeAt = Infinity;
      this.#resume(now, running, undefined, emit);
    }
    this.#findDeadline();
  }

  /** Runs a task until it waits for something that has no reply yet, or ends. */
  #resume(now: Nanos, running: Running, value: unknown, emit: (output: TaskOutput) => void): void {
    let reply = value;
    for (;;) {
      const { done, value: request } = running.task.next(reply);
      if (running.isCancelled) return;
      if (done) return this.#end(running, request, emit);
      if (request instanceof Sleep) {
        running.wakeAt = now + request.for;
        this.#sleeping.add(running);
        this.#deadline = Math.min(this.#deadline, running.wakeAt);
        return;
      }
      if (request instanceof Fork) {
        const id = this.newId();
        this.#forked.add(id);
        this.#register(id, request.task, running);
        // It starts when this one waits: with a reply that its generator ignores.
        this.#queue.push({ kind: 'reply', id, value: undefined });
        reply = id;
      } else if (request instanceof Join) {
        const joined = this.#tasks.get(request.id);
        if (joined !== undefined) {
          const isFree = joined.joiner === undefined || !this.#tasks.has(joined.joiner);
          assert(isFree, `task ${request.id} is waited for by ${joined.joiner} and ${running.id}`);
          joined.joiner = running.id;
          return;
        }
        reply = this.#results.get(request.id);
        this.#results.delete(request.id);
      } else {
        reply = this.#serve(now, running.id, request);
        if (running.isCancelled || reply === PENDING) return;
      }
    }
  }

  #register(id: TaskId, task: Task<unknown>, parent: Running | undefined): Running {
    assert(!this.#tasks.has(id), `task ${id} was started twice`);
    const running: Running = {
      id,
      task,
      wakeAt: Infinity,
      joiner: undefined,
      isCancelled: false,
      forks: undefined,
      parent,
    };
    if (parent !== undefined) {
      parent.forks ??= new Set();
      parent.forks.add(id);
    }
    this.#tasks.set(id, running);
    return running;
  }

  #end(running: Running, result: unknown, emit: (output: TaskOutput) => void): void {
    this.#forget(running);
    const wasForked = this.#forked.delete(running.id);
    if (running.joiner !== undefined) this.#queue.push({ kind: 'reply', id: running.joiner, value: result });
    else if (wasForked && result !== undefined) this.#results.set(running.id, result);
    emit({ kind: 'ended', id: running.id, result });
  }

  #forget(running: Running): void {
    this.#tasks.delete(running.id);
    running.parent?.forks?.delete(running.id);
    if (this.#sleeping.delete(running)) this.#findDeadline();
  }

  #findDeadline(): void {
    let deadline = Infinity;
    for (const { wakeAt } of this.#sleeping) if (wakeAt < deadline) deadline = wakeAt;
    this.#deadline = deadline;
  }
}
