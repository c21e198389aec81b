import type { Stamped } from '@quorate/kernel';
import type { LogLine } from '@quorate/lab';
import type { Boot } from '../boot.js';
import { MachineRecorder } from '../record/machine-recorder.js';
import { type FromWorker, type Item, ItemWriter, type Report } from '../wire/report.js';

/** Collects what the hub wants to hear from a worker, and posts it with every slice. */
export class Reporter {
  readonly wantsLog: boolean;
  /** For what the worker's machine is stepped with and emits; undefined unless the run is recorded. */
  readonly recorder: MachineRecorder | undefined;
  /** Kind of the input that the worker's cluster machine is being stepped with. */
  steppedWith: string | undefined;
  readonly #clock: MessagePort;
  readonly #kinds: ReadonlySet<string> | undefined;
  readonly #items = new ItemWriter();
  #events = 0;

  constructor({ clock, kinds, wantsLog, isRecorded }: Boot) {
    this.#clock = clock;
    this.#kinds = kinds && new Set(kinds);
    this.wantsLog = wantsLog;
    this.recorder = isRecorded ? new MachineRecorder() : undefined;
  }

  /** Events: steps of machines. */
  count(steps: number): void {
    this.#events += steps;
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
    const [text, stack] = error instanceof Error ? [error.message, error.stack] : [String(error), undefined];
    const thrown = this.steppedWith === undefined ? undefined : { input: this.steppedWith, message: text };
    const record = this.recorder?.take();
    this.#post(
      { kind: 'failed', message: stack ?? text, ...(thrown && { thrown }), ...(record && { record }) },
      record ? [record.inputs, record.outputs] : [],
    );
  }

  report(slice: number): void {
    const items = this.#items.take();
    const record = this.recorder?.take();
    const report: Report = {
      kind: 'report',
      slice,
      events: this.#events,
      ...(items && { items }),
      ...(record && { record }),
    };
    this.#events = 0;
    this.#post(
      report,
      [items, record?.inputs, record?.outputs].filter((buffer) => buffer !== undefined),
    );
  }

  #post(message: FromWorker, transfer: ArrayBuffer[]): void {
    this.#clock.postMessage(message, transfer);
  }
}
