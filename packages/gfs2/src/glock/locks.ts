import type { Nanos, Task } from '@quorate/kernel';
import { Refusal } from '../refusal.js';
import { type Scheduler, Signal, wait, waitUntil } from '../scheduler.js';
import { type Glock, type GlockState, Holder, HolderFlag } from './glock.js';
import type { GlockType } from './glock-name.js';
import type { GlockInput, GlockOutput, Glocks, LockCall, UnlockCall } from './glocks.js';

/** What the rest of the mount does when glocks come and go. None of it may step the glocks. */
export interface LockHooks {
  readonly call: (call: LockCall | UnlockCall) => void;
  /** Brings what is under the glock to stable storage; a refusal means that the node has withdrawn. */
  readonly sync: (glock: Glock) => Task;
  readonly invalidate: (glock: Glock, isMetadataKept: boolean) => void;
  readonly wanted: (glock: Glock, state: GlockState) => void;
}

/** The glocks as tasks use them: they wait for a lock and give it back. */
export class Locks {
  readonly #glocks: Glocks;
  readonly #scheduler: Scheduler;
  readonly #hooks: LockHooks;
  readonly #waiting = new Map<Holder, Signal>();

  constructor(glocks: Glocks, scheduler: Scheduler, hooks: LockHooks) {
    this.#glocks = glocks;
    this.#scheduler = scheduler;
    this.#hooks = hooks;
  }

  get(type: GlockType, number: number): Glock {
    return this.#glocks.get(type, number);
  }

  find(type: GlockType, number: number): Glock | undefined {
    return this.#glocks.find(type, number);
  }

  /** Passes on what the DLM or a timer has to say. */
  input(input: GlockInput): void {
    this.#glocks.step(this.#scheduler.now, input, (output) => this.#onOutput(output));
  }

  /** The glock, if nobody has to be waited for; else undefined, and nothing was done. */
  acquireNow(glock: Glock, state: GlockState, flags = 0): Holder | undefined {
    const holder = new Holder(glock, state, flags);
    return this.#glocks.hold(this.#scheduler.now, holder) ? holder : undefined;
  }

  /** Waits for the glock. @throws {Refusal} EAGAIN when the holder only tried, EIO when the lock manager failed. */
  *acquire(glock: Glock, state: GlockState, flags = 0): Task<Holder> {
    const holder = new Holder(glock, state, flags);
    if (this.#glocks.hold(this.#scheduler.now, holder)) return holder;
    this.#enqueue(holder);
    try {
      yield* this.#settle(holder);
    } finally {
      // Cancelled while it waited.
      if (holder.status === 'waiting') this.release(holder);
    }
    return holder;
  }

  /** The same, but undefined when the holder only tried and the lock is not to be had. */
  *tryAcquire(glock: Glock, state: GlockState, flags: number): Task<Holder | undefined> {
    try {
      return yield* this.acquire(glock, state, flags);
    } catch (error) {
      if (error instanceof Refusal && error.errno === 'EAGAIN') return undefined;
      throw error;
    }
  }

  /**
   * Asks for several glocks at once and waits for all of them; gives undefined, and none, when they are not all there by
   * then. For callers whose order of locks could collide with another node's.
   */
  *acquireAllBy(until: Nanos, wanted: readonly { glock: Glock; state: GlockState }[]): Task<Holder[] | undefined> {
    const holders = wanted.map(({ glock, state }) => new Holder(glock, state, HolderFlag.ASYNC));
    let isComplete = false;
    try {
      for (const holder of holders) this.#enqueue(holder);
      for (const holder of holders) {
        while (holder.status === 'waiting') {
          if (!(yield* waitUntil(this.#signalOf(holder), until))) return undefined;
        }
        if (holder.status !== 'held') throw new Refusal('EIO');
      }
      isComplete = true;
      return holders;
    } finally {
      if (!isComplete) for (const holder of holders) this.release(holder);
    }
  }

  /** Waits for a holder queued by `queue`, at most until then; whether it has the lock. */
  *awaitHolder(holder: Holder, until: Nanos, isOver: () => boolean): Task<boolean> {
    while (holder.status === 'waiting' && !isOver()) {
      if (!(yield* waitUntil(this.#signalOf(holder), until))) break;
    }
    return holder.status === 'held';
  }

  /** Asks for a glock without waiting. */
  queue(glock: Glock, state: GlockState, flags: number): Holder {
    const holder = new Holder(glock, state, flags);
    this.#enqueue(holder);
    return holder;
  }

  /** Wakes whoever waits for the holder, so that it looks again at what it waits for. */
  poke(holder: Holder): void {
    const signal = this.#waiting.get(holder);
    if (signal !== undefined) this.#scheduler.notify(signal);
  }

  release(holder: Holder): void {
    this.#waiting.delete(holder);
    if (!this.#glocks.release(holder)) this.input({ kind: 'dequeue', holder });
  }

  #enqueue(holder: Holder): void {
    this.input({ kind: 'enqueue', holder });
  }

  *#settle(holder: Holder): Task {
    while (holder.status === 'waiting') yield* wait(this.#signalOf(holder));
    this.#waiting.delete(holder);
    if (holder.status === 'try-failed') throw new Refusal('EAGAIN');
    if (holder.status === 'error') throw new Refusal('EIO');
  }

  #signalOf(holder: Holder): Signal {
    let signal = this.#waiting.get(holder);
    if (signal === undefined) {
      signal = new Signal();
      this.#waiting.set(holder, signal);
    }
    return signal;
  }

  #onOutput(output: GlockOutput): void {
    switch (output.kind) {
      case 'lock':
      case 'unlock':
        return this.#hooks.call(output);
      case 'granted':
      case 'failed':
        return this.poke(output.holder);
      case 'sync':
        this.#scheduler.start(this.#sync(output.glock));
        return;
      case 'invalidate':
        return this.#hooks.invalidate(output.glock, output.isMetadataKept);
      case 'wanted':
        return this.#hooks.wanted(output.glock, output.state);
    }
  }

  *#sync(glock: Glock): Task {
    yield* this.#hooks.sync(glock);
    this.input({ kind: 'synced', glock });
  }
}
