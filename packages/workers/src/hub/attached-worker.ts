import { type Remote, releaseProxy, wrap } from 'comlink';
import { type Boot, portsOf, type Role } from '../boot.js';
import type { Departure, WorkerLike } from '../platform/worker-like.js';
import type { Grant } from '../time/slice-clock.js';
import type { Failure, FromWorker, Report } from '../wire/report.js';

/** What a worker tells its hub. */
export interface WorkerEvents {
  ready(): void;
  report(report: Report): void;
  /** Told once, and never after `stop`. `failure` is what it had to say of an exception. */
  gone(departure: Departure, failure?: Failure): void;
}

/**
 * A worker as the hub holds it: its clock port, its Comlink side, and its departure.
 *
 * A call to a worker that dies never settles by itself, so every call is raced against the departure.
 */
export class AttachedWorker<Control> {
  readonly name: string;
  readonly #worker: WorkerLike;
  readonly #clock: MessagePort;
  readonly #controlPort: MessagePort;
  readonly #control: Remote<Control>;
  readonly #events: WorkerEvents;
  readonly #gone: Promise<undefined>;
  #leave: () => void = () => {};
  #isAttached = true;

  constructor(
    name: string,
    worker: WorkerLike,
    role: Role,
    boot: Omit<Boot, 'type' | 'role' | 'control' | 'clock'>,
    events: WorkerEvents,
  ) {
    this.name = name;
    this.#worker = worker;
    this.#events = events;
    this.#gone = new Promise((resolve) => {
      this.#leave = () => resolve(undefined);
    });
    const clock = new MessageChannel();
    const control = new MessageChannel();
    this.#clock = clock.port1;
    this.#clock.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#onMessage(data);
    this.#controlPort = control.port1;
    this.#control = wrap<Control>(control.port1);
    worker.onGone((departure) => this.depart(departure));
    const message: Boot = { ...boot, type: 'quorate-boot', role, control: control.port2, clock: clock.port2 };
    worker.postMessage(message, portsOf(message));
  }

  grant(grant: Grant): void {
    this.#clock.postMessage(grant);
  }

  /** The answer to a call; undefined when the worker is gone before it came. An exception in it counts as that. */
  async call<Answer>(ask: (control: Remote<Control>) => Promise<Answer>): Promise<Answer | undefined> {
    if (!this.#isAttached) return undefined;
    const answer = ask(this.#control).catch((error: unknown): undefined => {
      this.depart({
        reason: 'threw',
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    });
    return Promise.race([answer, this.#gone]);
  }

  /** The worker is no more, or has to be taken for that. */
  depart(departure: Departure, failure?: Failure): void {
    if (!this.#isAttached) return;
    this.#detach();
    this.#events.gone(departure, failure);
  }

  /** Ends the worker; it may be called again. */
  async stop(): Promise<void> {
    if (this.#isAttached) this.#detach();
    await this.#worker.terminate();
  }

  #detach(): void {
    this.#isAttached = false;
    this.#leave();
    this.#control[releaseProxy]();
    this.#controlPort.close();
    this.#clock.close();
  }

  #onMessage(message: FromWorker): void {
    if (!this.#isAttached) return;
    switch (message.kind) {
      case 'ready':
        return this.#events.ready();
      case 'report':
        return this.#events.report(message);
      case 'failed':
        return this.depart({ reason: 'threw', message: message.message }, message);
    }
  }
}

/** A worker whatever it is told: its clock, its name and its end. */
export type AnyWorker = Pick<AttachedWorker<never>, 'name' | 'grant' | 'depart' | 'stop'>;
