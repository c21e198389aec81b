import { HighWater, SECOND, type Task } from '@quorate/kernel';
import { Mailbox } from '../runtime/mailbox.js';
import type { Runtime } from '../runtime/runtime.js';
import type { ServiceRequest } from './service-threads.js';

/** Something that services have to be looked at for. */
export type QueuedEvent =
  /** `isClean`: it came, or said that it would leave, and is not fenced. */
  | { readonly kind: 'node'; readonly node: number; readonly isUp: boolean; readonly isClean: boolean }
  /** A member is in standby: what runs there is to run elsewhere. */
  | { readonly kind: 'standby'; readonly node: number }
  /** `owner` -1: nobody. */
  | {
      readonly kind: 'service';
      readonly service: string;
      readonly state: number;
      readonly owner: number;
      readonly lastOwner: number;
    }
  /** A user's request; only with central processing. */
  | { readonly kind: 'user'; readonly service: string; readonly request: ServiceRequest }
  | { readonly kind: 'config' };

/** One that a master's scripts are run for. */
export type ScriptedEvent = Exclude<QueuedEvent, { readonly kind: 'config' | 'standby' }>;

/**
 * Events, handled one after the other by a thread that is there only while there are any, and a while longer.
 *
 * Source: rgmanager src/daemons/rg_event.c.
 */
export class RgEventQueue {
  readonly #runtime: Runtime;
  readonly #handle: (event: QueuedEvent) => Task;
  readonly #events: Mailbox<QueuedEvent>;
  /** How long the thread waits for a further event. */
  throttlingSec = 5;
  readonly #mark = new HighWater();
  #isRunning = false;

  constructor(runtime: Runtime, handle: (event: QueuedEvent) => Task) {
    this.#runtime = runtime;
    this.#handle = handle;
    this.#events = new Mailbox(runtime);
  }

  put(event: QueuedEvent): void {
    this.#events.put(event);
    const size = this.#events.length;
    if (this.#mark.rises(size)) {
      const { now, observe } = this.#runtime;
      observe?.({ kind: 'rg.queue', now, queue: 'events', size });
    }
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#runtime.start(this.#run());
  }

  *#run(): Task {
    let count = 0;
    for (;;) {
      const event = yield* this.#events.take(this.throttlingSec * SECOND);
      if (event === undefined) break;
      count += 1;
      yield* this.#handle(event);
    }
    this.#isRunning = false;
    this.#runtime.log('debug', `${count} events processed`);
  }
}
