import { type DecoderOptions, decode, decodeMulti } from '@msgpack/msgpack';
import { crc32c, latin1, type Nanos, viewOf } from '@quorate/kernel';
import { CHUNK_HEAD_BYTES, ChunkKind, HEAD_BYTES, MAGIC } from './layout.js';
import type { OutputMark } from './machine-recorder.js';
import type { RecordedPart, RecordingEnd, RecordingHeader } from './recording-writer.js';

/** A file that is no recording, or a broken one: where, what was found, what was expected. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
  /** Byte offset in the file. */
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(`at byte ${offset}: ${message}`);
    this.offset = offset;
  }
}

export interface RecordedInput {
  readonly at: Nanos;
  readonly input: { readonly kind: string } & Readonly<Record<string, unknown>>;
}

interface Chunk {
  readonly kind: number;
  readonly part: number;
  readonly offset: number;
  readonly data: Uint8Array;
}

const PART_KINDS: readonly unknown[] = ['machine', 'switch', 'disks'] satisfies RecordedPart['kind'][];

/** A recording in memory. What it gives out aliases the file. */
export class Recording {
  readonly header: RecordingHeader;
  readonly end: RecordingEnd;
  readonly #chunks: readonly Chunk[];

  /** @throws {RecordingError} when the bytes are no whole recording. */
  constructor(file: Uint8Array) {
    const bytes = plainBytes(file);
    if (bytes.length < HEAD_BYTES || latin1(bytes, 0, 8) !== MAGIC) {
      throw new RecordingError(0, `found "${latin1(bytes, 0, Math.min(8, bytes.length))}", expected "${MAGIC}"`);
    }
    const view = viewOf(bytes);
    const length = view.getUint32(8, true);
    const left = bytes.length - HEAD_BYTES;
    if (length > left) throw new RecordingError(8, `the header has ${length} bytes, but ${left} are left: cut off`);
    const body = bytes.subarray(HEAD_BYTES, HEAD_BYTES + length);
    if (crc32c(body) !== view.getUint32(12, true)) throw new RecordingError(12, 'the checksum of the header is wrong');
    const header = unpack(body, HEAD_BYTES);
    if (!isHeader(header)) throw new RecordingError(HEAD_BYTES, 'the header does not say which machines there were');
    this.header = header;
    const chunks = chunksOf(bytes, HEAD_BYTES + length, header.parts.length);
    const last = chunks.pop();
    if (last?.kind !== ChunkKind.end) throw new RecordingError(bytes.length, 'cut off: the run has no end');
    const end = unpack(last.data, last.offset);
    if (!isEnd(end)) throw new RecordingError(last.offset, 'the end does not say why the run stopped');
    this.#chunks = chunks;
    this.end = end;
  }

  /** What a part was stepped with, in order. `part` is its place in the header's list. */
  *inputs(part: number): Generator<RecordedInput, void, undefined> {
    for (const { offset, document } of this.#documents(ChunkKind.inputs, part)) {
      const [at, input] = document;
      if (typeof at !== 'number' || !isMap(input) || typeof input.kind !== 'string') {
        throw new RecordingError(offset, 'an input without its instant or its kind');
      }
      yield { at, input: input as RecordedInput['input'] };
    }
  }

  /** What it emitted, in order. */
  *outputs(part: number): Generator<OutputMark, void, undefined> {
    for (const { offset, document } of this.#documents(ChunkKind.outputs, part)) {
      const [at, kind, size, digest] = document;
      const hasNumbers = typeof at === 'number' && typeof size === 'number' && typeof digest === 'number';
      if (!hasNumbers || typeof kind !== 'string') throw new RecordingError(offset, 'an output without its digest');
      yield { at, kind, size, digest };
    }
  }

  *#documents(
    kind: number,
    part: number,
  ): Generator<{ readonly offset: number; readonly document: readonly unknown[] }, void, undefined> {
    for (const chunk of this.#chunks) {
      if (chunk.kind !== kind || chunk.part !== part) continue;
      const { offset } = chunk;
      for (const document of documentsOf(chunk)) {
        if (!Array.isArray(document)) throw new RecordingError(offset, 'found a document that is no list');
        yield { offset, document };
      }
    }
  }
}

function* documentsOf({ data, offset }: Chunk): Generator<unknown, void, undefined> {
  try {
    yield* decodeMulti(data, limitsOf(data));
  } catch (error) {
    if (error instanceof RangeError || (error as Error).name === 'DecodeError') {
      throw new RecordingError(offset, `no MessagePack: ${(error as Error).message}`);
    }
    throw error;
  }
}

/** A `slice` of Node's `Buffer` is no copy, and machines rely on theirs: they get bytes without that. */
function plainBytes({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}

/** All whole chunks, checked. */
function chunksOf(bytes: Uint8Array, start: number, parts: number): Chunk[] {
  const view = viewOf(bytes);
  const chunks: Chunk[] = [];
  let at = start;
  while (at < bytes.length) {
    const left = bytes.length - at - CHUNK_HEAD_BYTES;
    if (left < 0)
      throw new RecordingError(at, `found ${bytes.length - at} bytes, expected the head of a chunk: cut off`);
    const kind = view.getUint8(at);
    const part = view.getUint8(at + 1);
    if (kind < ChunkKind.inputs || kind > ChunkKind.end || part >= parts) {
      throw new RecordingError(
        at,
        `found a chunk of kind ${kind} for part ${part}, expected kind 1 to 3 and a part below ${parts}`,
      );
    }
    const length = view.getUint32(at + 4, true);
    if (length > left) throw new RecordingError(at, `the chunk has ${length} bytes, but ${left} are left: cut off`);
    const offset = at + CHUNK_HEAD_BYTES;
    const data = bytes.subarray(offset, offset + length);
    if (crc32c(data) !== view.getUint32(at + 8, true))
      throw new RecordingError(at, 'the checksum of the chunk is wrong');
    chunks.push({ kind, part, offset, data });
    at = offset + length;
    if (kind === ChunkKind.end && at < bytes.length) {
      throw new RecordingError(at, `found ${bytes.length - at} bytes after the end`);
    }
  }
  return chunks;
}

/** Nothing in a document is longer than the document: a broken length allocates no memory. */
function limitsOf({ length }: Uint8Array): DecoderOptions {
  return {
    maxStrLength: length,
    maxBinLength: length,
    maxArrayLength: length,
    maxMapLength: length,
    maxExtLength: length,
  };
}

function unpack(bytes: Uint8Array, offset: number): unknown {
  try {
    return decode(bytes, limitsOf(bytes));
  } catch (error) {
    throw new RecordingError(offset, `no MessagePack: ${(error as Error).message}`);
  }
}

function isHeader(value: unknown): value is RecordingHeader {
  if (!isMap(value) || !isMap(value.seed) || !Array.isArray(value.parts)) return false;
  const { scenario, topologyName, seed, speed } = value;
  const isPart = (part: unknown): boolean =>
    isMap(part) && typeof part.name === 'string' && PART_KINDS.includes(part.kind);
  const hasNumbers = [seed.hi, seed.lo, speed].every((number) => typeof number === 'number');
  return typeof scenario === 'string' && typeof topologyName === 'string' && hasNumbers && value.parts.every(isPart);
}

function isEnd(value: unknown): value is RecordingEnd {
  return isMap(value) && typeof value.reason === 'string' && typeof value.at === 'number';
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
