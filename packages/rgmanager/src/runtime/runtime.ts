import {
  assert,
  type LogPriority,
  type Nanos,
  type Observe,
  PENDING,
  SECOND,
  type Task,
  type TaskId,
  TaskRunner,
  WallClock,
  wallTimeOf,
} from '@quorate/kernel';
import type { RgFact } from '../fact.js';
import type { RgOutput } from '../io.js';
import { type Resume, Suspend, suspend } from './suspend.js';
import { Timers } from './timers.js';

type Emit = (output: RgOutput) => void;

function ignore(): void {}

/** What all parts of a running rgmanager share: the clock, tasks and their waiting, outputs, log and facts. */
export class Runtime {
  readonly observe: Observe<RgFact> | undefined;
  readonly #tasks = new TaskRunner((_now, id, request) => this.#serve(id, request));
  readonly #timers = new Timers();
  #now: Nanos = 0;
  #emit: Emit = ignore;
  readonly #wallClock = new WallClock();

  constructor(observe: Observe<RgFact> | undefined) {
    this.observe = observe;
  }

  get now(): Nanos {
    return this.#now;
  }

  /** Whole seconds of the monotonic clock: what intervals and restart windows are reckoned in. */
  get seconds(): number {
    return Math.floor(this.#now / SECOND);
  }

  /** Wall clock second: what service records carry. */
  get wallSeconds(): number {
    return this.#wallClock.seconds(this.#now);
  }

  setWall(seconds: number): void {
    this.#wallClock.set(this.#now, wallTimeOf(seconds));
  }

  stepWall(offset: Nanos): void {
    this.#wallClock.step(offset);
  }

  /** Runs one step of the machine: what is emitted in it goes to `emit`. */
  enter(now: Nanos, emit: Emit, body: () => void): void {
    this.#now = now;
    this.#emit = emit;
    try {
      body();
    } finally {
      this.#emit = ignore;
    }
  }

  emit(output: RgOutput): void {
    this.#emit(output);
  }

  log(priority: LogPriority, text: string): void {
    this.#emit({ kind: 'log', priority, text });
  }

  start(task: Task<unknown>): void {
    this.#tasks.step(this.#now, { kind: 'start', id: this.#tasks.newId(), task }, ignore);
  }

  /** Runs tasks at the same time; their results when all have ended. */
  *together<T>(tasks: readonly Task<T>[]): Task<readonly T[]> {
    const results: T[] = [];
    let left = tasks.length;
    let ended: Resume<void> | undefined;
    const run = function* (task: Task<T>, index: number): Task {
      results[index] = yield* task;
      left -= 1;
      if (left === 0) ended?.();
    };
    for (const [index, task] of tasks.entries()) this.start(run(task, index));
    if (left > 0) {
      yield* suspend<void>((resume) => {
        ended = resume;
      });
    }
    return results;
  }

  after(delay: Nanos, fire: () => void): number {
    return this.#timers.set(this.#now + delay, fire);
  }

  cancel(timer: number): void {
    this.#timers.clear(timer);
  }

  /** Waits until `register`'s resume is called; undefined when that did not happen within `timeout`. */
  *waitFor<T>(timeout: Nanos, register: (resume: Resume<T>) => void): Task<T | undefined> {
    return yield* suspend<T | undefined>((resume) => {
      let isOver = false;
      const end = (value: T | undefined): void => {
        if (isOver) return;
        isOver = true;
        if (timer !== undefined) this.cancel(timer);
        resume(value);
      };
      const timer = timeout === Infinity ? undefined : this.after(timeout, () => end(undefined));
      register(end);
    });
  }

  wake(): void {
    this.#timers.wake(this.#now);
    this.#tasks.step(this.#now, { kind: 'wake' }, ignore);
  }

  deadline(): Nanos {
    return Math.min(this.#timers.deadline(), this.#tasks.deadline());
  }

  /** Number of tasks under way. */
  get taskCount(): number {
    return this.#tasks.size;
  }

  #serve(id: TaskId, request: unknown): unknown {
    assert(request instanceof Suspend, 'a task of rgmanager asked for something that nobody serves');
    request.register((value) => this.#tasks.step(this.#now, { kind: 'reply', id, value }, ignore));
    return PENDING;
  }
}
