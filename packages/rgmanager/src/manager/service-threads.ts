import type { Task } from '@quorate/kernel';
import type { Runtime } from '../runtime/runtime.js';
import { type Resume, suspend } from '../runtime/suspend.js';
import { Request, requestText } from '../state/request.js';
import { Result } from '../state/result.js';
import type { Turns } from './turns.js';

/** How a request ended. */
export interface Outcome {
  /** `Result`. */
  readonly code: number;
  /** Who owns the service now; 0: this node, or nobody in particular. */
  readonly owner: number;
}

/** Takes the answer to whoever asked. */
export type Respond = (outcome: Outcome) => void;

/** Something that a service's worker is asked to do. */
export interface ServiceRequest {
  /** `Request`. */
  readonly request: number;
  /** Node id; 0: none. */
  readonly target: number;
  readonly arg1: number;
  /** Score for which a coordinator chose the target; otherwise 0. */
  readonly arg2: number;
  readonly respond: Respond | undefined;
  /** Whether whoever asked is still there and waits for the answer. */
  readonly isAwaited: () => boolean;
}

/** Performs a request and answers it. */
export type Perform = (service: string, request: ServiceRequest, threads: ServiceThreads) => Task<Outcome>;

interface Thread {
  readonly key: string;
  readonly service: string;
  readonly queue: ServiceRequest[];
  current: number | undefined;
  isExiting: boolean;
}

/** Requests that a running relocation would wait for, and that would wait for it. */
const BLOCKED_BY_RELOCATE: readonly number[] = [
  Request.RELOCATE,
  Request.START_REMOTE,
  Request.START_RECOVER,
  Request.START,
  Request.ENABLE,
];
/**
 * Differs from rgmanager: it turns these away, too, while a relocation runs, and a node exits or loses quorum with the
 * service still running if that relocation ends here.
 */
const UNREFUSABLE: readonly number[] = [Request.INIT, Request.STOP_EXITING];
/** What facts call a start that a coordinator has decided. */
export const COORDINATED_START = 'coordinated start';
const REMOTE_STARTS: readonly number[] = [Request.START_REMOTE, Request.START_RECOVER];

/**
 * One worker per service, which performs its requests in order.
 *
 * Source: rgmanager src/daemons/rg_thread.c.
 */
export class ServiceThreads {
  readonly #runtime: Runtime;
  readonly #perform: Perform;
  readonly #turns: Turns | undefined;
  readonly #threads = new Map<string, Thread>();
  #idle: Resume<void>[] = [];

  constructor(runtime: Runtime, perform: Perform, turns?: Turns) {
    this.#runtime = runtime;
    this.#perform = perform;
    this.#turns = turns;
  }

  /**
   * Queues a request. False if it could not be, which is AGAIN to whoever asks; true if it was queued, was answered at
   * once, or was one too many of those allowed by `max`.
   *
   * While a relocation runs, further starts and relocations are answered DEADLCK and all else is turned away; while a
   * start runs, so is one that another node asks for: two nodes can never wait for each other.
   */
  enqueue(service: string, asked: Partial<ServiceRequest> & { readonly request: number }, max = 0): boolean {
    const request = { target: 0, arg1: 0, arg2: 0, respond: undefined, isAwaited: () => true, ...asked };
    const thread = this.#threads.get(service) ?? this.#newThread(service);
    if (thread.isExiting) return false;
    if (request.request === Request.INIT) this.#purge(thread);
    else if (max > 0 && this.#count(thread, request.request) >= max) return true;
    const isBlocked = this.#isBlocked(thread, request.request);
    if (isBlocked || (thread.current === Request.RELOCATE && !UNREFUSABLE.includes(request.request))) {
      this.#runtime.log('debug', `Failed to queue ${request.request} request for ${service}: Would block`);
      if (isBlocked) request.respond?.({ code: Result.DEADLCK, owner: 0 });
      return isBlocked;
    }
    thread.queue.push(request);
    if (!this.#threads.has(thread.key)) {
      this.#threads.set(thread.key, thread);
      this.#runtime.start(this.#work(thread));
    }
    return true;
  }

  /** Drops status checks that wait: something else has just told how the service is. */
  purgeStatusChecks(service: string): void {
    const queue = this.#threads.get(service)?.queue;
    const kept = queue?.filter(({ request }) => request !== Request.STATUS) ?? [];
    queue?.splice(0, queue.length, ...kept);
  }

  /**
   * Answers ABORT to all who wait.
   *
   * Differs from rgmanager: not to those who want it started for a relocation. They would take the service for failed, and leave it; now they
   * ask another node.
   */
  purgeAll(service: string): void {
    const thread = this.#threads.get(service);
    if (thread !== undefined) this.#purge(thread);
  }

  /** No worker has anything to do. */
  get isIdle(): boolean {
    return this.#threads.size === 0;
  }

  /** Waits until no worker has anything to do. */
  *idle(): Task {
    while (this.#threads.size > 0) yield* suspend<void>((resume) => this.#idle.push(resume));
  }

  inspect(): readonly { readonly service: string; readonly current: string; readonly queue: readonly string[] }[] {
    return [...this.#threads.values()].map(({ service, current, queue }) => ({
      service,
      current: current === undefined ? '' : requestText(current),
      queue: queue.map(({ request }) => requestText(request)),
    }));
  }

  #newThread(service: string): Thread {
    // Who gives turns may have a request performed within another one for the same service: each has its worker then.
    const key = this.#turns === undefined ? service : `${service} ${this.#turns.count}`;
    return { key, service, queue: [], current: undefined, isExiting: false };
  }

  #isBlocked({ current }: Thread, request: number): boolean {
    if (current === Request.RELOCATE) return BLOCKED_BY_RELOCATE.includes(request);
    return current === Request.START && REMOTE_STARTS.includes(request);
  }

  #count({ queue, current }: Thread, request: number): number {
    return queue.filter((each) => each.request === request).length + (current === request ? 1 : 0);
  }

  #purge(thread: Thread): void {
    for (const { request, respond } of thread.queue.splice(0)) {
      respond?.({ code: REMOTE_STARTS.includes(request) ? Result.FAIL : Result.ABORT, owner: 0 });
    }
  }

  *#work(thread: Thread): Task {
    const { service } = thread;
    const isGiven = this.#turns === undefined || (yield* this.#turns.take(service, thread.queue[0]!.request));
    if (!isGiven) this.#purge(thread);
    for (let request = thread.queue.shift(); request !== undefined; request = thread.queue.shift()) {
      thread.current = request.request;
      if (request.request === Request.STOP_EXITING) thread.isExiting = true;
      const about = { service, request: textOf(request) };
      const isAnswered = request.respond !== undefined;
      const { target } = request;
      this.#runtime.observe?.({ kind: 'rg.request-started', now: this.#runtime.now, ...about, target, isAnswered });
      const { code } = yield* this.#perform(service, request, this);
      this.#runtime.observe?.({ kind: 'rg.request-ended', now: this.#runtime.now, ...about, code });
      thread.current = undefined;
    }
    this.#threads.delete(thread.key);
    if (this.#threads.size > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resume of idle) resume();
  }
}

function textOf({ request, arg2 }: ServiceRequest): string {
  return request === Request.START && arg2 > 0 ? COORDINATED_START : requestText(request);
}
