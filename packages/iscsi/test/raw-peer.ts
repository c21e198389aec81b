import { hex, utf8Bytes, utf8Text } from '@quorate/kernel';
import type { Pdu } from '../src/pdu/pdu.js';
import { PduReader } from '../src/pdu/pdu-reader.js';
import { PduWriter } from '../src/pdu/pdu-writer.js';
import { INITIATOR, type Rig, TARGET } from './rig.js';

/** A PDU of the target, copied out. */
export interface Received {
  readonly opcode: number;
  readonly flags: number;
  readonly byte2: number;
  readonly byte3: number;
  readonly lun: number;
  readonly tag: number;
  readonly transferTag: number;
  readonly sequence: number;
  readonly expCmdSn: number;
  readonly maxCmdSn: number;
  readonly word36: number;
  readonly word40: number;
  readonly word44: number;
  readonly data: Uint8Array;
  /** Class and detail of a Login Response. */
  readonly status: string;
  readonly tsih: number;
}

function copyOf(pdu: Pdu): Received {
  return {
    opcode: pdu.opcode,
    flags: pdu.flags,
    byte2: pdu.u8(2),
    byte3: pdu.u8(3),
    lun: pdu.lun,
    tag: pdu.initiatorTaskTag,
    transferTag: pdu.u32(20),
    sequence: pdu.u32(24),
    expCmdSn: pdu.u32(28),
    maxCmdSn: pdu.u32(32),
    word36: pdu.u32(36),
    word40: pdu.u32(40),
    word44: pdu.u32(44),
    data: pdu.data.slice(),
    status: pdu.u16(36).toString(16).padStart(4, '0'),
    tsih: pdu.u16(14),
  };
}

export interface LoginFields {
  readonly isid?: number;
  readonly tsih?: number;
  readonly cid?: number;
  readonly versionMin?: number;
  readonly flags?: number;
}

/** Who writes its PDUs by hand, right or wrong. */
export class RawPeer {
  readonly connection: number;
  readonly received: Received[] = [];
  cmdSn = 1;
  readonly #rig: Rig;
  readonly #writer = new PduWriter();
  readonly #reader = new PduReader(0xff_ffff);

  constructor(rig: Rig) {
    this.#rig = rig;
    this.connection = rig.connect((bytes) => {
      this.#reader.feed(bytes);
      while (this.#reader.next() === 'pdu') this.received.push(copyOf(this.#reader.pdu));
      this.#reader.keep();
    });
    this.#writer.sendTo((bytes) => this.raw(bytes.slice()));
  }

  raw(bytes: Uint8Array): void {
    this.#rig.step({ kind: 'received', connection: this.connection, bytes });
    this.#rig.run();
  }

  /** Sends a PDU and gives what came back. */
  send(opcode: number, flags: number, fields: (writer: PduWriter) => void, data?: Uint8Array): readonly Received[] {
    const before = this.received.length;
    fields(this.#writer.begin(opcode, flags));
    this.#writer.end(data);
    this.#writer.flush();
    return this.received.slice(before);
  }

  login(text: Readonly<Record<string, string>>, fields: LoginFields = {}): Received | undefined {
    const { isid = 1, tsih = 0, cid = 0, versionMin = 0, flags = 0x87 } = fields;
    const pairs = Object.entries(text).map(([key, value]) => `${key}=${value}\0`);
    const put = (writer: PduWriter): void => {
      writer.u8(3, versionMin).u8(8, 0x80).u8(13, isid).u16(14, tsih).u16(20, cid).u32(24, this.cmdSn);
    };
    return this.send(0x43, flags, put, utf8Bytes(pairs.join('')))[0];
  }

  /** Straight into full feature phase. */
  enter(text: Readonly<Record<string, string>> = {}, fields: LoginFields = {}): this {
    this.login({ InitiatorName: INITIATOR, TargetName: TARGET, ...text }, fields);
    return this;
  }

  /** A SCSI Command; the next CmdSN unless one is given. */
  command(
    tag: number,
    cdb: Uint8Array,
    options: { flags?: number; expected?: number; data?: Uint8Array; cmdSn?: number; lun?: number } = {},
  ): readonly Received[] {
    const { flags = 0x80, expected = 0, data, cmdSn = this.cmdSn++, lun = 0 } = options;
    const put = (writer: PduWriter): void => {
      writer.lun(lun).u32(16, tag).u32(20, expected).u32(24, cmdSn).raw(32, cdb);
    };
    return this.send(0x01, flags, put, data);
  }

  dataOut(
    tag: number,
    transferTag: number,
    dataSn: number,
    offset: number,
    data: Uint8Array,
    isFinal = true,
  ): readonly Received[] {
    const put = (writer: PduWriter): void => {
      writer.u32(16, tag).u32(20, transferTag).u32(36, dataSn).u32(40, offset);
    };
    return this.send(0x05, isFinal ? 0x80 : 0, put, data);
  }

  manage(code: number, tag: number, referenced = 0xffff_ffff, refCmdSn = 0): readonly Received[] {
    const put = (writer: PduWriter): void => {
      writer.u32(16, tag).u32(20, referenced).u32(24, this.cmdSn).u32(32, refCmdSn);
    };
    return this.send(0x42, 0x80 | code, put);
  }

  /** A request with a CmdSN of its own and nothing but a task tag. */
  request(opcode: number, flags: number, tag: number, data?: Uint8Array): readonly Received[] {
    const put = (writer: PduWriter): void => {
      writer.u32(16, tag).u32(20, 0xffff_ffff).u32(24, this.cmdSn);
    };
    const answers = this.send(opcode, flags, put, data);
    if ((opcode & 0x40) === 0) this.cmdSn += 1;
    return answers;
  }
}

/** Key, ASC and ASCQ in a SCSI Response. */
export function senseIn({ data }: Received): string {
  return data.length < 16 ? '' : hex(data.subarray(4, 5)).concat('/', hex(data.subarray(14, 16)));
}

export function textOf({ data }: Received): string {
  return utf8Text(data).replaceAll('\0', ' ').trim();
}
