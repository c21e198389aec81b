const NOTHING: Uint8Array = new Uint8Array(0);

/** Bytes of a basic header segment. */
export const HEADER_BYTES = 48;

/**
 * A PDU as it arrived: fields by their offset in the basic header segment. All big-endian.
 *
 * offset size field
 *      0    1 opcode            bit 6 I (immediate), bits 5-0
 *      1    1 flags             bit 7 F (final); the rest by opcode
 *      4    1 TotalAHSLength    of what follows the header, in words of 4 bytes
 *      5    3 DataSegmentLength without padding
 *      8    8 LUN               or ISID and TSIH in a login
 *     16    4 initiator task tag
 *     20    4 target transfer tag, expected data transfer length, referenced task tag, or CID
 *     24    4 CmdSN, or StatSN from the target
 *     28    4 ExpStatSN, or ExpCmdSN from the target
 *     32    4 MaxCmdSN from the target; the CDB (16 bytes) in a SCSI Command; RefCmdSN
 *     36    4 DataSN, R2TSN
 *     40    4 buffer offset
 *     44    4 residual count, desired data transfer length
 *
 * One object serves a whole connection: it aliases the bytes of the chunk that is being read, until the next PDU.
 * Source: RFC 7143, 11.2.
 */
export class Pdu {
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  /** The data segment without padding. */
  data: Uint8Array = NOTHING;
  /** The data segment does not agree with its digest. */
  hasBadDataDigest = false;

  /** Points this at the header at `at`. */
  aim(bytes: Uint8Array, at: number, dataAt: number, dataLength: number): void {
    this.#bytes = bytes;
    this.#at = at;
    this.data = dataLength === 0 ? NOTHING : bytes.subarray(dataAt, dataAt + dataLength);
    this.hasBadDataDigest = false;
  }

  get opcode(): number {
    return this.#bytes[this.#at]! & 0x3f;
  }

  get isImmediate(): boolean {
    return (this.#bytes[this.#at]! & 0x40) !== 0;
  }

  get flags(): number {
    return this.#bytes[this.#at + 1]!;
  }

  get isFinal(): boolean {
    return (this.flags & 0x80) !== 0;
  }

  get additionalHeaderBytes(): number {
    return 4 * this.u8(4);
  }

  get initiatorTaskTag(): number {
    return this.u32(16);
  }

  u8(offset: number): number {
    return this.#bytes[this.#at + offset]!;
  }

  u16(offset: number): number {
    const at = this.#at + offset;
    return (this.#bytes[at]! << 8) | this.#bytes[at + 1]!;
  }

  u32(offset: number): number {
    const bytes = this.#bytes;
    const at = this.#at + offset;
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }

  /** The basic header segment from `start` to `end`; aliases the chunk. */
  slice(start = 0, end: number = HEADER_BYTES): Uint8Array {
    return this.#bytes.subarray(this.#at + start, this.#at + end);
  }

  /**
   * The LUN of single-level structures, by peripheral device or flat addressing; -1 for any other, which no unit has.
   *
   * Source: SAM-5, 4.7 "Logical unit number".
   */
  get lun(): number {
    const method = this.u8(8) >> 6;
    if (method > 1 || (this.u32(8) & 0xffff) !== 0 || this.u32(12) !== 0) return -1;
    return method === 0 && this.u8(8) !== 0 ? -1 : this.u16(8) & 0x3fff;
  }
}

/** The first two bytes of the LUN field for a LUN of up to 16383; the other six are 0. */
export function lunField(lun: number): number {
  return lun < 256 ? lun : 0x4000 | lun;
}
