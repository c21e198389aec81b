import type { Sense, TaskAttribute } from '@quorate/scsi';
import { CommandFlag } from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import type { TargetConnection } from './connection.js';

const CDB_BYTES = 16;

/** Sense key, ASC and ASCQ of what goes wrong with Data-Out. Source: RFC 7143, 11.4.7.2, and SPC-4. */
export const DataError = {
  unexpectedUnsolicited: { key: 0x0b, asc: 0x0c, ascq: 0x0c },
  incorrectAmount: { key: 0x0b, asc: 0x0c, ascq: 0x0d },
  crc: { key: 0x0b, asc: 0x47, ascq: 0x05 },
  tooMuch: { key: 0x0b, asc: 0x4b, ascq: 0x02 },
  offset: { key: 0x0b, asc: 0x4b, ascq: 0x05 },
} as const;

/** One run of Data-Out: what comes unsolicited, or the answer to one R2T. */
export interface DataSequence {
  /** Target transfer tag; FFFFFFFF for the unsolicited one. */
  readonly tag: number;
  readonly offset: number;
  /** Bytes asked for; for the unsolicited sequence the most that may come. */
  readonly length: number;
  received: number;
  nextDataSn: number;
}

/** One SCSI Command of a session: first it gathers its Data-Out, then the unit has it, then it is answered. Pooled. */
export class CommandTask {
  tag = 0;
  lun = 0;
  /** Its connection: PDUs of a task stay with the connection of its command. */
  connection!: TargetConnection;
  isRead = false;
  isWrite = false;
  /** Expected data transfer length. */
  expected = 0;
  attribute: TaskAttribute = 'simple';
  readonly cdb: Uint8Array = new Uint8Array(CDB_BYTES);
  state: 'gathering' | 'in-unit' = 'gathering';
  /** Bytes of Data-Out that its CDB calls for. */
  cdbLength = 0;
  /** Bytes of Data-Out that it takes to run: R2Ts ask for no more. */
  wanted = 0;
  /** Bytes of Data-Out that the unit is shown: all that the initiator sends, so that it can refuse what is too much. */
  kept = 0;
  received = 0;
  /** First byte that no R2T has asked for. */
  solicited = 0;
  buffer: Uint8Array | undefined;
  readonly sequences: DataSequence[] = [];
  /** DataSN of the next Data-In, or R2TSN of the next R2T: a command has one or the other. */
  nextSn = 0;
  /** What was wrong with its Data-Out: it ends with that once all of it is here. */
  error: Sense | undefined;
  /** There was no room for its Data-Out. */
  isRefused = false;

  load(connection: TargetConnection, pdu: Pdu): void {
    const { flags } = pdu;
    this.tag = pdu.initiatorTaskTag;
    this.lun = pdu.lun;
    this.connection = connection;
    this.isRead = (flags & CommandFlag.read) !== 0;
    this.isWrite = (flags & CommandFlag.write) !== 0;
    this.expected = pdu.u32(20);
    this.attribute = ATTRIBUTES[flags & CommandFlag.attribute]!;
    for (let i = 0; i < CDB_BYTES; i++) this.cdb[i] = pdu.u8(32 + i);
    this.state = 'gathering';
    this.cdbLength = this.wanted = this.kept = this.received = this.solicited = this.nextSn = 0;
    this.buffer = undefined;
    this.sequences.length = 0;
    this.error = undefined;
    this.isRefused = false;
  }

  sequenceOf(tag: number): DataSequence | undefined {
    return this.sequences.find((sequence) => sequence.tag === tag);
  }

  closeSequence(sequence: DataSequence): void {
    this.sequences.splice(this.sequences.indexOf(sequence), 1);
  }
}

/** By ATTR: untagged, simple, ordered, head of queue, ACA; NORMACA is 0, so ACA is simple. The rest is reserved. */
const ATTRIBUTES: readonly TaskAttribute[] = [
  'simple',
  'simple',
  'ordered',
  'head-of-queue',
  'simple',
  'simple',
  'simple',
  'simple',
];
