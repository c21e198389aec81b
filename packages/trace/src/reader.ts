import { decode } from '@msgpack/msgpack';
import { crc32c, latin1, utf8Text, viewOf } from '@quorate/kernel';
import type { FieldType, FieldValue } from './kinds.js';
import {
  BLOCK_HEAD_BYTES,
  BLOCK_MAGIC,
  END_BYTES,
  END_MAGIC,
  FILE_HEAD_BYTES,
  FILE_MAGIC,
  HAS_PAYLOADS,
  IS_DEFLATED,
  VERSION,
} from './layout.js';
import { VarintReader } from './varint.js';
import type { TraceHeader } from './writer.js';

export interface TraceRecord {
  readonly time: number;
  readonly seq: number;
  readonly node: number;
  readonly kind: string;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

/** A file that is no trace, or a broken one: where, what was found, what was expected. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  /** Byte offset in the file. */
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(`at byte ${offset}: ${message}`);
    this.offset = offset;
  }
}

interface Schema {
  readonly name: string;
  readonly fields: readonly (readonly [string, FieldType])[];
}

/** A run to be exported: a file, or part of one. */
export interface Trace {
  readonly header: TraceHeader;
  /** In the order of the run; may be asked for again. */
  records(): Iterable<TraceRecord>;
}

/** A trace file in memory. */
export class TraceFile implements Trace {
  readonly header: TraceHeader;
  /** Hash of the run as the footer gives it; undefined when the file has no footer. */
  readonly hash: string | undefined;
  /** Whether frames have their bytes. */
  readonly hasPayloads: boolean;
  readonly #bytes: Uint8Array;
  readonly #schemas = new Map<number, Schema>();
  readonly #start: number;
  readonly #end: number;

  /** @throws {TraceError} when the bytes are not a trace of this version. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const view = viewOf(bytes);
    if (bytes.length < FILE_HEAD_BYTES || latin1(bytes, 0, 8) !== FILE_MAGIC) {
      throw new TraceError(0, `found "${latin1(bytes, 0, Math.min(8, bytes.length))}", expected "${FILE_MAGIC}"`);
    }
    const version = view.getUint16(8, true);
    if (version !== VERSION) throw new TraceError(8, `found version ${version}, expected ${VERSION}`);
    const flags = view.getUint16(10, true);
    this.hasPayloads = (flags & HAS_PAYLOADS) !== 0;
    if ((flags & IS_DEFLATED) !== 0) {
      throw new TraceError(10, 'the blocks are deflated, which this reader does not undo');
    }
    const length = view.getUint32(12, true);
    if (FILE_HEAD_BYTES + length > bytes.length) {
      throw new TraceError(12, `the header has ${length} bytes, but ${bytes.length - FILE_HEAD_BYTES} are left`);
    }
    const header = unpack(bytes.subarray(FILE_HEAD_BYTES, FILE_HEAD_BYTES + length));
    if (!isHeader(header))
      throw new TraceError(FILE_HEAD_BYTES, 'the header is no map with the nodes and the kinds of records');
    this.header = header;
    for (const [id, name, fields] of header.kinds) this.#schemas.set(id, { name, fields });
    this.#start = FILE_HEAD_BYTES + length;
    const footer = this.#footer();
    this.#end = footer?.offset ?? bytes.length;
    this.hash = footer?.hash;
  }

  /**
   * The records in the order of the run. A file that was cut off ends with its last whole block.
   *
   * @throws {TraceError} when a block is broken.
   */
  *records(): Generator<TraceRecord, void, undefined> {
    const view = viewOf(this.#bytes);
    let at = this.#start;
    while (at + BLOCK_HEAD_BYTES <= this.#end) {
      if (view.getUint32(at, true) !== BLOCK_MAGIC) throw new TraceError(at, 'expected the head of a block');
      const stored = view.getUint32(at + 8, true);
      if (at + BLOCK_HEAD_BYTES + stored > this.#end) return;
      const data = this.#bytes.subarray(at + BLOCK_HEAD_BYTES, at + BLOCK_HEAD_BYTES + stored);
      if (crc32c(data) !== view.getUint32(at + 32, true))
        throw new TraceError(at, 'the checksum of the block is wrong');
      yield* this.#block(data, view.getFloat64(at + 16, true), view.getFloat64(at + 24, true), at);
      at += BLOCK_HEAD_BYTES + stored;
    }
  }

  *#block(
    data: Uint8Array,
    firstTime: number,
    firstSeq: number,
    offset: number,
  ): Generator<TraceRecord, void, undefined> {
    const reader = new VarintReader(data);
    const strings: string[] = [];
    let time = firstTime;
    let seq = firstSeq;
    while (reader.left > 0) {
      const id = reader.byte();
      const node = reader.byte();
      time += reader.unsigned();
      seq += reader.unsigned();
      const schema = this.#schemas.get(id);
      if (schema === undefined) {
        if (id < 128) throw new TraceError(offset, `a record of kind ${id}, which the header does not list`);
        reader.raw(reader.unsigned());
        continue;
      }
      const fields: Record<string, FieldValue> = {};
      for (const [name, type] of schema.fields) {
        const value = readField(reader, type, strings);
        if (value === undefined) throw new TraceError(offset, `a record names a string that its block does not bring`);
        fields[name] = value;
      }
      if (!reader.ok) throw new TraceError(offset, 'a record runs past the end of its block');
      if (schema.name !== 'string') yield { time, seq, node, kind: schema.name, fields };
      else if (fields.text instanceof Uint8Array) strings.push(utf8Text(fields.text));
    }
  }

  #footer(): { readonly offset: number; readonly hash: string } | undefined {
    const bytes = this.#bytes;
    const at = bytes.length - END_BYTES;
    if (at < this.#start || latin1(bytes, at + 16, at + 24) !== END_MAGIC) return undefined;
    const view = viewOf(bytes);
    const offset = view.getFloat64(at, true);
    const footer = bytes.subarray(offset, offset + view.getUint32(at + 8, true));
    if (crc32c(footer) !== view.getUint32(at + 12, true))
      throw new TraceError(at, 'the checksum of the footer is wrong');
    const content = unpack(footer);
    if (!isMap(content) || typeof content.hash !== 'string') throw new TraceError(offset, 'the footer has no hash');
    return { offset, hash: content.hash };
  }
}

/** Undefined for bytes that are no MessagePack. */
function unpack(bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

type Kinds = readonly (readonly [number, string, Schema['fields']])[];

function isHeader(value: unknown): value is TraceHeader & { readonly kinds: Kinds } {
  if (!isMap(value) || !Array.isArray(value.kinds) || !value.kinds.every(isKind)) return false;
  return areNodes(value.nodes) && areNodes(value.hosts ?? []);
}

function areNodes(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((node) => isMap(node) && typeof node.id === 'number' && typeof node.name === 'string')
  );
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isKind(value: unknown): boolean {
  if (!Array.isArray(value) || !Array.isArray(value[2])) return false;
  const isField = (field: unknown): boolean => Array.isArray(field) && FIELD_TYPES.has(field[1] as FieldType);
  return typeof value[0] === 'number' && typeof value[1] === 'string' && value[2].every(isField);
}

const FIELD_TYPES: ReadonlySet<FieldType> = new Set(['u', 'i', 's', 'b', 'd']);

/** Undefined for a string that is not in the table. */
function readField(reader: VarintReader, type: FieldType, strings: readonly string[]): FieldValue | undefined {
  switch (type) {
    case 'u':
      return reader.unsigned();
    case 'i':
      return reader.signed();
    case 's':
      return strings[reader.unsigned()];
    case 'b':
      return reader.raw(reader.unsigned()).slice();
    case 'd':
      return reader.left < 8 ? reader.raw(8).length : viewOf(reader.raw(8)).getFloat64(0, true);
  }
}
