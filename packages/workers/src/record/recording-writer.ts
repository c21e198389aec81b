import { encode } from '@msgpack/msgpack';
import { asciiBytes, crc32c, type Nanos, type Seed, viewOf } from '@quorate/kernel';
import { CHUNK_HEAD_BYTES, ChunkKind, HEAD_BYTES, MAGIC } from './layout.js';
import type { RecordPiece } from './machine-recorder.js';

/** One of the machines that a run is made of: a cluster node, the network with its hosts, or the disks. */
export interface RecordedPart {
  /** Host name of a machine, else `switch` or `disks`. */
  readonly name: string;
  readonly kind: 'machine' | 'switch' | 'disks';
}

/** What is needed to build the same machines again. */
export interface RecordingHeader {
  readonly scenario: string;
  readonly topologyName: string;
  /** Plain data for the builder of the topology: a cluster.conf, say. */
  readonly topologyOptions: unknown;
  readonly seed: Seed;
  /** Cluster time per wall time, at most. */
  readonly speed: number;
  readonly sliceNanos: Nanos;
  readonly parts: readonly RecordedPart[];
}

export interface RecordingEnd {
  /** Why the run stopped. */
  readonly reason: string;
  readonly at: Nanos;
  /** A worker that threw, and what: it does so again when it is replayed. */
  readonly threw: { readonly part: string; readonly message: string } | null;
}

/** Writes a recording piece by piece; each is handed to `sink` at once. */
export class RecordingWriter {
  readonly #sink: (bytes: Uint8Array) => void;

  constructor(header: RecordingHeader, sink: (bytes: Uint8Array) => void) {
    this.#sink = sink;
    const body = encode(header, { sortKeys: true });
    const head = new Uint8Array(HEAD_BYTES);
    head.set(asciiBytes(MAGIC));
    viewOf(head).setUint32(8, body.length, true);
    viewOf(head).setUint32(12, crc32c(body), true);
    sink(head);
    sink(body);
  }

  /** `part` is its place in the header's list. */
  piece(part: number, { inputs, outputs }: RecordPiece): void {
    this.#chunk(ChunkKind.inputs, part, new Uint8Array(inputs));
    if (outputs.byteLength > 0) this.#chunk(ChunkKind.outputs, part, new Uint8Array(outputs));
  }

  end(end: RecordingEnd): void {
    this.#chunk(ChunkKind.end, 0, encode(end, { sortKeys: true }));
  }

  #chunk(kind: number, part: number, data: Uint8Array): void {
    const head = new Uint8Array(CHUNK_HEAD_BYTES);
    const view = viewOf(head);
    view.setUint8(0, kind);
    view.setUint8(1, part);
    view.setUint32(4, data.length, true);
    view.setUint32(8, crc32c(data), true);
    this.#sink(head);
    this.#sink(data);
  }
}
