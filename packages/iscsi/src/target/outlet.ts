import { type Nanos, type Observe, viewOf } from '@quorate/kernel';
import type { PduFact, PduSentFact } from '../facts.js';
import { PduWriter } from '../pdu/pdu-writer.js';
import type { TargetConnection } from './connection.js';
import type { IscsiTargetOutput } from './target-io.js';

/** Where the PDUs of one step go: to one connection after the other, each in as few pieces as possible. */
export class Outlet {
  now: Nanos = 0;
  readonly #writer = new PduWriter();
  readonly #observe: Observe<PduFact> | undefined;
  #connection: TargetConnection | undefined;
  #emit: (output: IscsiTargetOutput) => void = () => {};

  constructor(observe: Observe<PduFact> | undefined) {
    this.#observe = observe;
    this.#writer.sendTo((bytes) => {
      const connection = this.#connection!;
      connection.unsent += bytes.length;
      this.#emit({ kind: 'send', connection: connection.id, bytes });
    });
  }

  /** A step begins. */
  open(now: Nanos, emit: (output: IscsiTargetOutput) => void): void {
    this.now = now;
    this.#emit = emit;
  }

  emit(output: IscsiTargetOutput): void {
    this.flush();
    this.#emit(output);
  }

  /** Begins a PDU to that connection. */
  begin(connection: TargetConnection, opcode: number, flags: number): PduWriter {
    if (connection !== this.#connection) {
      this.flush();
      this.#connection = connection;
      this.#writer.hasHeaderDigest = connection.reader.hasHeaderDigest;
      this.#writer.hasDataDigest = connection.reader.hasDataDigest;
    }
    return this.#writer.begin(opcode, flags);
  }

  /** Ends it, with sequence numbers: `status` takes a StatSN, `next` shows the next one, `none` is of a Data-In. */
  end(connection: TargetConnection, numbering: 'status' | 'next' | 'none', data?: Uint8Array): void {
    const writer = this.#writer;
    const session = connection.session!;
    if (numbering !== 'none') writer.u32(24, connection.statSn);
    if (numbering === 'status') connection.statSn = (connection.statSn + 1) >>> 0;
    writer.u32(28, session.expCmdSn).u32(32, session.openWindow());
    if (this.#observe !== undefined) this.#tell(connection, data?.length ?? 0);
    writer.end(data);
  }

  /** Ends a PDU whose sequence numbers the caller has put. */
  endPlain(data: Uint8Array): void {
    this.#writer.end(data);
  }

  /** Digests hold from the first PDU of full feature phase on: what was written before goes out without. */
  digestsChanged(): void {
    this.flush();
    this.#connection = undefined;
  }

  flush(): void {
    this.#writer.flush();
  }

  #tell(connection: TargetConnection, dataLength: number): void {
    const header = this.#writer.header();
    const view = viewOf(header);
    const fact: PduSentFact = {
      kind: 'iscsi.pdu-sent',
      now: this.now,
      connection: connection.id,
      session: connection.session!.id,
      opcode: header[0]! & 0x3f,
      isImmediate: false,
      flags: header[1]!,
      dataLength,
      initiatorTaskTag: view.getUint32(16),
      transferTag: view.getUint32(20),
      sequence: view.getUint32(24),
      expected: view.getUint32(28),
      maxCmdSn: view.getUint32(32),
      dataSn: view.getUint32(36),
      bufferOffset: view.getUint32(40),
      lastWord: view.getUint32(44),
    };
    this.#observe?.(fact);
  }
}
