import { encode } from '@msgpack/msgpack';
import { asciiBytes, crc32c, viewOf } from '@quorate/kernel';
import { type FieldType, type FieldValue, KINDS, type KindName } from './kinds.js';
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
import { MOST_VARINT_BYTES, putSigned, putUnsigned, VarintWriter } from './varint.js';

export interface NamedNode {
  readonly id: number;
  readonly name: string;
}

/** What a trace says of its run. Extra fields are kept and shown. */
export interface TraceHeader {
  readonly seed: string;
  readonly scenario: string;
  readonly nodes: readonly NamedNode[];
  /** On the network, but no cluster nodes. */
  readonly hosts?: readonly NamedNode[];
  readonly [field: string]: unknown;
}

interface IndexEntry {
  readonly offset: number;
  readonly time: number;
  readonly seq: number;
  readonly count: number;
}

const NOTHING = new Uint8Array(0);

/** A kind as the writer needs it. */
interface Shape {
  readonly id: number;
  readonly types: readonly FieldType[];
  /** Places of the strings among them. */
  readonly strings: readonly number[];
  /** Of a record without payloads. */
  readonly mostBytes: number;
}

const DOUBLE_BYTES = 8;
/** Kind, node, and two differences. */
const HEAD_BYTES = 2 + 2 * MOST_VARINT_BYTES;

const SHAPES = Object.fromEntries(
  Object.entries(KINDS).map(([name, { id, fields }]): [string, Shape] => {
    const types = fields.map(([, type]) => type);
    const strings = types.flatMap((type, i) => (type === 's' ? [i] : []));
    return [name, { id, types, strings, mostBytes: HEAD_BYTES + types.length * MOST_VARINT_BYTES }];
  }),
) as Readonly<Record<KindName, Shape>>;

/** Writes the native file piece by piece: each piece handed to `sink` is valid during that call only. */
export class TraceWriter {
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #withPayloads: boolean;
  readonly #block = new VarintWriter();
  /** Of the block at hand, by their place in it. */
  readonly #strings = new Map<string, number>();
  /** Of the strings of the record at hand. */
  readonly #indices: number[] = [0, 0, 0, 0, 0, 0];
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

  /** Adds a record. `values` are in the order of the kind's schema; `node` is 255 for the driver. Instants never decrease. */
  add(name: KindName, node: number, time: number, seq: number, values: readonly FieldValue[]): void {
    const { id, types, strings, mostBytes } = SHAPES[name];
    // A string's own record comes before the record that names it.
    const indices = this.#indices;
    for (let i = 0; i < strings.length; i++) indices[i] = this.#indexOf(values[strings[i]!] as string, node, time, seq);
    const block = this.#block;
    const room = block.room(mostBytes + (this.#withPayloads ? payloadBytes(values) : 0));
    let at = this.#head(room, id, node, time, seq);
    let next = 0;
    for (let i = 0; i < types.length; i++) {
      const value = values[i]!;
      switch (types[i]!) {
        case 'u':
          at = putUnsigned(room, at, value as number);
          break;
        case 's':
          at = putUnsigned(room, at, indices[next++]!);
          break;
        case 'i':
          at = putSigned(room, at, value as number);
          break;
        case 'b':
          at = putBytes(room, at, this.#withPayloads ? (value as Uint8Array) : NOTHING);
          break;
        case 'd':
          viewOf(room).setFloat64(at, value as number, true);
          at += DOUBLE_BYTES;
      }
    }
    block.filled(at);
    if (at >= BLOCK_TARGET_BYTES) this.#flush();
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

  /** A string's place in the table of the block, which it is added to if need be. */
  #indexOf(text: string, node: number, time: number, seq: number): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    const index = this.#strings.size;
    this.#strings.set(text, index);
    const block = this.#block;
    block.filled(this.#head(block.room(HEAD_BYTES), KINDS.string.id, node, time, seq));
    block.text(text);
    return index;
  }

  /** Puts it behind what the block has, and gives the place behind it. */
  #head(room: Uint8Array, kind: number, node: number, time: number, seq: number): number {
    if (this.#records === 0) {
      this.#firstTime = this.#lastTime = time;
      this.#firstSeq = this.#lastSeq = seq;
    }
    this.#records += 1;
    let at = this.#block.length;
    room[at++] = kind;
    room[at++] = node;
    at = putUnsigned(room, at, time - this.#lastTime);
    at = putUnsigned(room, at, seq - this.#lastSeq);
    this.#lastTime = time;
    this.#lastSeq = seq;
    return at;
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

function payloadBytes(values: readonly FieldValue[]): number {
  let length = 0;
  for (const value of values) if (value instanceof Uint8Array) length += value.length;
  return length;
}

/** Puts their number and them. */
function putBytes(room: Uint8Array, place: number, bytes: Uint8Array): number {
  const at = putUnsigned(room, place, bytes.length);
  if (bytes.length > 0) room.set(bytes, at);
  return at + bytes.length;
}
