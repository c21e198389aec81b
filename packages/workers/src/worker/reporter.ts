import type { Stamped } from '@quorate/kernel';
import type { LogLine } from '@quorate/lab';
import type { Boot } from '../boot.js';
import type { BatchWriter } from '../wire/batch.js';
import { type FromWorker, type Item, ItemWriter, type Report } from '../wire/report.js';

/** Collects what the hub wants to hear from a worker, and posts it with every slice. */
export class Reporter {
  readonly wantsLog: boolean;
  readonly #clock: MessagePort;
  readonly #kinds: ReadonlySet<string> | undefined;
  readonly #items = new ItemWriter();
  #events = 0;

  constructor({ clock, kinds, wantsLog }: Boot) {
    this.#clock = clock;
    this.#kinds = kinds && new Set(kinds);
    this.wantsLog = wantsLog;
  }

  /** One event: a step of a machine. */
  count(): void {
    this.#events += 1;
  }

  fact(fact: Stamped): void {
    if (this.#kinds === undefined || this.#kinds.has(fact.kind)) this.#items.add({ kind: 'fact', fact });
  }

  log(line: LogLine): void {
    if (this.wantsLog) this.#items.add({ kind: 'log', line });
  }

  tell(item: Exclude<Item, { kind: 'fact' | 'log' }>): void {
    this.#items.add(item);
  }

  ready(): void {
    this.#post({ kind: 'ready' }, []);
  }

  failed(error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#post({ kind: 'failed', message }, []);
  }

  report(slice: number, record: BatchWriter | undefined): void {
    const items = this.#items.take();
    const inputs = record?.take();
    const report: Report = {
      kind: 'report',
      slice,
      events: this.#events,
      ...(items && { items }),
      ...(inputs && { record: inputs }),
    };
    this.#events = 0;
    this.#post(
      report,
      [items, inputs].filter((buffer) => buffer !== undefined),
    );
  }

  #post(message: FromWorker, transfer: ArrayBuffer[]): void {
    this.#clock.postMessage(message, transfer);
  }
}
