import { encode } from '@msgpack/msgpack';
import { asciiBytes, crc32c, utf8Bytes, viewOf } from '@quorate/kernel';
import { type FieldValue, KINDS, type KindName, type RecordKind } from './kinds.js';
import {
  BLOCK_HEAD_BYTES,
  BLOCK_MAGIC,
  BLOCK_TARGET_BYTES,
  END_BYTES,
  END_MAGIC,
  FILE_HEAD_BYTES,
  FILE_MAGIC,
  HAS_PAYLOADS,
  VERSION,
} from './layout.js';
import { VarintWriter } from './varint.js';

/** What a trace says of its run. Extra fields are kept and shown. */
export interface TraceHeader {
  readonly seed: string;
  readonly scenario: string;
  readonly nodes: readonly { readonly id: number; readonly name: string }[];
  readonly [field: string]: unknown;
}

interface IndexEntry {
  readonly offset: number;
  readonly time: number;
  readonly seq: number;
  readonly count: number;
}

const NOTHING = new Uint8Array(0);

/** Writes the native file piece by piece: each piece handed to `sink` is valid during that call only. */
export class TraceWriter {
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #withPayloads: boolean;
  readonly #block = new VarintWriter();
  /** Of the block at hand, by their place in it. */
  readonly #strings = new Map<string, number>();
  readonly #index: IndexEntry[] = [];
  #offset = 0;
  #records = 0;
  #firstTime = 0;
  #firstSeq = 0;
  #lastTime = 0;
  #lastSeq = 0;

  constructor(header: TraceHeader, sink: (bytes: Uint8Array) => void, options: { readonly payloads?: boolean } = {}) {
    this.#sink = sink;
    this.#withPayloads = options.payloads === true;
    const kinds = Object.values(KINDS).map(({ id, name, fields }) => [id, name, fields]);
    const body = encode({ ...header, kinds }, { sortKeys: true });
    const head = new Uint8Array(FILE_HEAD_BYTES);
    const view = viewOf(head);
    head.set(asciiBytes(FILE_MAGIC));
    view.setUint16(8, VERSION, true);
    view.setUint16(10, this.#withPayloads ? HAS_PAYLOADS : 0, true);
    view.setUint32(12, body.length, true);
    this.#put(head);
    this.#put(body);
  }

  /** Adds a record. `values` are in the order of the kind's schema; `node` is 255 for the driver. */
  add(name: KindName, node: number, time: number, seq: number, values: readonly FieldValue[]): void {
    const kind: RecordKind = KINDS[name];
    // A string's own record comes before the record that names it.
    kind.fields.forEach(([, type], i) => {
      if (type === 's') this.#stringIndex(String(values[i]), node, time, seq);
    });
    this.#head(kind.id, node, time, seq);
    kind.fields.forEach(([, type], i) => {
      const value = values[i];
      if (type === 's') this.#block.unsigned(this.#strings.get(String(value))!);
      else if (type === 'b')
        this.#bytes(this.#withPayloads || kind.id === KINDS.string.id ? (value as Uint8Array) : NOTHING);
      else if (type === 'u') this.#block.unsigned(value as number);
      else if (type === 'i') this.#block.signed(value as number);
      else this.#double(value as number);
    });
    if (this.#block.length >= BLOCK_TARGET_BYTES) this.#flush();
  }

  /** Writes what is left, the index and the run's hash. Nothing may be added afterwards. */
  end(hash: string): void {
    this.#flush();
    const index = this.#index.map(({ offset, time, seq, count }) => [offset, time, seq, count]);
    const footer = encode({ hash, index }, { sortKeys: true });
    const end = new Uint8Array(END_BYTES);
    const view = viewOf(end);
    view.setFloat64(0, this.#offset, true);
    view.setUint32(8, footer.length, true);
    view.setUint32(12, crc32c(footer), true);
    end.set(asciiBytes(END_MAGIC), 16);
    this.#put(footer);
    this.#put(end);
  }

  #stringIndex(text: string, node: number, time: number, seq: number): void {
    if (this.#strings.has(text)) return;
    this.#strings.set(text, this.#strings.size);
    this.#head(KINDS.string.id, node, time, seq);
    this.#bytes(utf8Bytes(text));
  }

  #head(kind: number, node: number, time: number, seq: number): void {
    if (this.#records === 0) {
      this.#firstTime = this.#lastTime = time;
      this.#firstSeq = this.#lastSeq = seq;
    }
    this.#records += 1;
    this.#block.byte(kind);
    this.#block.byte(node);
    this.#block.unsigned(time - this.#lastTime);
    this.#block.unsigned(seq - this.#lastSeq);
    this.#lastTime = time;
    this.#lastSeq = seq;
  }

  #bytes(bytes: Uint8Array): void {
    this.#block.unsigned(bytes.length);
    this.#block.raw(bytes);
  }

  #double(value: number): void {
    const bytes = new Uint8Array(8);
    viewOf(bytes).setFloat64(0, value, true);
    this.#block.raw(bytes);
  }

  #flush(): void {
    if (this.#records === 0) return;
    const data = this.#block.bytes();
    const head = new Uint8Array(BLOCK_HEAD_BYTES);
    const view = viewOf(head);
    view.setUint32(0, BLOCK_MAGIC, true);
    view.setUint32(4, data.length, true);
    view.setUint32(8, data.length, true);
    view.setUint32(12, this.#records, true);
    view.setFloat64(16, this.#firstTime, true);
    view.setFloat64(24, this.#firstSeq, true);
    view.setUint32(32, crc32c(data), true);
    this.#index.push({ offset: this.#offset, time: this.#firstTime, seq: this.#firstSeq, count: this.#records });
    this.#put(head);
    this.#put(data);
    this.#block.reset();
    this.#strings.clear();
    this.#records = 0;
  }

  #put(bytes: Uint8Array): void {
    this.#sink(bytes);
    this.#offset += bytes.length;
  }
}
