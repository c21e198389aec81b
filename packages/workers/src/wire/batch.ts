import { ByteWriter, getU64, type Nanos, viewOf } from '@quorate/kernel';

/**
 * A batch: what one turn of a worker sends to one neighbour, in the order in which it was emitted. Records follow each other
 * without gaps; big-endian.
 *
 * offset size field
 *      0    1 kind       1 frame, 2 nic, 3 login, 4 nexus-lost, 5 command, 6 response
 *      1    1 state      nic: 1 up, 0 down; nexus-lost: 1 noticed; response: SCSI status; else 0
 *      2    2 headLength command: bytes of the CDB; response: bytes of the sense data; else 0
 *      4    4 dataLength bytes of the frame, Data-Out or Data-In
 *      8    8 at         the sender's instant, in ns
 *     16    4 tag        command, response; else 0
 *     20    4 number     command: LUN; login, response: the session; else 0
 *     24    – head, then data
 *
 * frame and nic pass between a node and the switch, login to response between a node and the disks. The port that a batch
 * came from says which node that is. A session is one life of a machine at the disks: a response of an earlier one is void.
 */
const HEADER_BYTES = 24;

export const RecordKind = {
  frame: 1,
  nic: 2,
  login: 3,
  nexusLost: 4,
  command: 5,
  response: 6,
} as const;

const NOTHING = new Uint8Array(0);

/** Collects records until they are taken as one buffer. */
export class BatchWriter {
  readonly #writer = new ByteWriter(false);

  frame(at: Nanos, bytes: Uint8Array): void {
    this.#record(RecordKind.frame, 0, at, 0, 0, NOTHING, bytes);
  }

  nic(at: Nanos, isUp: boolean): void {
    this.#record(RecordKind.nic, isUp ? 1 : 0, at, 0, 0, NOTHING, NOTHING);
  }

  login(at: Nanos, session: number): void {
    this.#record(RecordKind.login, 0, at, 0, session, NOTHING, NOTHING);
  }

  nexusLost(at: Nanos, isNoticed: boolean): void {
    this.#record(RecordKind.nexusLost, isNoticed ? 1 : 0, at, 0, 0, NOTHING, NOTHING);
  }

  command(at: Nanos, lun: number, tag: number, cdb: Uint8Array, data: Uint8Array): void {
    this.#record(RecordKind.command, 0, at, tag, lun, cdb, data);
  }

  response(at: Nanos, session: number, tag: number, status: number, sense: Uint8Array, data: Uint8Array): void {
    this.#record(RecordKind.response, status, at, tag, session, sense, data);
  }

  /** The records so far, in a buffer of their own size; undefined when there are none. */
  take(): ArrayBuffer | undefined {
    if (this.#writer.length === 0) return undefined;
    const batch = this.#writer.bytes().slice().buffer;
    this.#writer.reset();
    return batch;
  }

  #record(
    kind: number,
    state: number,
    at: Nanos,
    tag: number,
    number: number,
    head: Uint8Array,
    data: Uint8Array,
  ): void {
    this.#writer.u8(kind).u8(state).u16(head.length).u32(data.length).u64(at).u32(tag).u32(number).raw(head).raw(data);
  }
}

/** One record of a batch. `head` and `data` alias the batch; the record itself is used again for the next one. */
export interface BatchRecord {
  kind: number;
  state: number;
  at: Nanos;
  tag: number;
  number: number;
  head: Uint8Array;
  data: Uint8Array;
}

/**
 * Hands over every record of a batch, in order.
 *
 * @throws {RangeError} when the batch ends inside a record: it comes from a worker of our own, so that is a bug.
 */
export function readBatch(bytes: Uint8Array, take: (record: BatchRecord) => void): void {
  const view = viewOf(bytes);
  const record: BatchRecord = { kind: 0, state: 0, at: 0, tag: 0, number: 0, head: NOTHING, data: NOTHING };
  let offset = 0;
  while (offset < bytes.length) {
    // Reads past the end throw by themselves.
    const head = offset + HEADER_BYTES;
    const data = head + view.getUint16(offset + 2);
    const end = data + view.getUint32(offset + 4);
    record.kind = view.getUint8(offset);
    record.state = view.getUint8(offset + 1);
    record.at = getU64(view, offset + 8);
    record.tag = view.getUint32(offset + 16);
    record.number = view.getUint32(offset + 20);
    if (end > bytes.length) throw new RangeError(`a record of ${end - offset} bytes at ${offset} of ${bytes.length}`);
    record.head = bytes.subarray(head, data);
    record.data = bytes.subarray(data, end);
    offset = end;
    take(record);
  }
}
