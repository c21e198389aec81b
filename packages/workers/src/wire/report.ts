import { Decoder, Encoder } from '@msgpack/msgpack';
import { ByteWriter, type Nanos, type ProgramResult, type Stamped } from '@quorate/kernel';
import type { Fetched, LogLine } from '@quorate/lab';
import type { RecordPiece } from '../record/machine-recorder.js';

/** What a worker tells the hub beside its progress. */
export type Item =
  | { readonly kind: 'fact'; readonly fact: Stamped }
  | { readonly kind: 'log'; readonly line: LogLine }
  /** A command that `exec` asked for has ended; without a result the machine went down, or was not up. */
  | { readonly kind: 'replied'; readonly at: Nanos; readonly id: number; readonly result?: ProgramResult }
  /** A page that was asked for, or why there is none. */
  | { readonly kind: 'fetched'; readonly at: Nanos; readonly id: number; readonly result: Fetched }
  /** A fence agent asks the power switch, which is at the hub. */
  | {
      readonly kind: 'switch-power';
      readonly at: Nanos;
      readonly machine: string;
      readonly id: number;
      readonly request: unknown;
    };

export function instantOf(item: Item): Nanos {
  switch (item.kind) {
    case 'fact':
      return item.fact.at;
    case 'log':
      return item.line.at;
    default:
      return item.at;
  }
}

/** What a worker posts on its clock port. */
export type FromWorker =
  /** It has built its machines and waits for the first grant. */
  { readonly kind: 'ready' } | Report | Failure;

/** Something in a worker threw: it does nothing more. */
export interface Failure {
  readonly kind: 'failed';
  /** With its stack, where it has one. */
  readonly message: string;
  /** When a cluster machine threw in its step: kind of the input, and the message alone. */
  readonly thrown?: { readonly input: string; readonly message: string };
  /** Of a run that is recorded, what was not reported: the last input is the one at which it threw. */
  readonly record?: RecordPiece;
}

/**
 * What a worker posts when its clock has passed the end of a slice: a plain object, its items as MessagePack documents one
 * after another, in the order in which they happened.
 */
export interface Report {
  readonly kind: 'report';
  /** Number of the slice. */
  readonly slice: number;
  /** Events since the report before. */
  readonly events: number;
  /** Absent without items. */
  readonly items?: ArrayBuffer;
  /** Of a run that is recorded, since the report before. */
  readonly record?: RecordPiece;
}

/** Collects a worker's items until they are taken for a report. */
export class ItemWriter {
  // A field that is undefined is left out, as in JSON.
  readonly #encoder = new Encoder({ ignoreUndefined: true });
  readonly #writer = new ByteWriter(false);

  add(item: Item): void {
    this.#writer.raw(this.#encoder.encodeSharedRef(item));
  }

  /** The items so far, in a buffer of their own size; undefined when there are none. */
  take(): ArrayBuffer | undefined {
    if (this.#writer.length === 0) return undefined;
    const items = this.#writer.bytes().slice().buffer;
    this.#writer.reset();
    return items;
  }
}

/** The other side of `ItemWriter`; one for a whole run, as it remembers the names of fields. */
export class ItemReader {
  readonly #decoder = new Decoder();

  read(items: ArrayBuffer): Iterable<Item> {
    return this.#decoder.decodeMulti(items) as Iterable<Item>;
  }
}
