import { addWords, internetChecksum, pseudoHeaderSum } from './checksum.js';
import { PROTOCOL_TCP } from './ipv4.js';
import { getU16, getU32, setU16, setU32 } from './octets.js';

export const TCP_BYTES = 20;
export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

/** The fields that a sender chooses. Sequence numbers are unsigned 32-bit numbers. */
export interface TcpFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly seq: number;
  readonly ack: number;
  /** FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32. */
  readonly flags: number;
  readonly window: number;
  /** Maximum segment size, sent with SYN; 0 when the option is absent. */
  readonly mss: number;
}

/** A segment as received; its data stays where it is, at `dataAt`. */
export interface TcpSegment extends TcpFields {
  readonly dataAt: number;
  readonly dataBytes: number;
}

export type TcpReject = 'tcp-truncated' | 'bad-tcp-checksum';

/** Bytes of the header that `encodeTcp` writes: 20, or 24 with the option. */
export function tcpHeaderBytes(mss: number): number {
  return mss === 0 ? TCP_BYTES : TCP_BYTES + 4;
}

/**
 * Writes the header at `at`, with the checksum over pseudo header, header and the `dataBytes` that already stand
 * `tcpHeaderBytes(mss)` further on.
 *
 * offset size field
 *      0    2 source port
 *      2    2 destination port
 *      4    4 sequence number
 *      8    4 acknowledgment number
 *     12    1 data offset       high half, in 4-byte words
 *     13    1 flags             1 FIN, 2 SYN, 4 RST, 8 PSH, 16 ACK, 32 URG
 *     14    2 window            bytes, not scaled
 *     16    2 checksum
 *     18    2 urgent pointer    0
 *     20    4 option            02 04 and the maximum segment size, with SYN only
 *      …    … data
 *
 * Source: RFC 9293, section 3.1.
 */
export function encodeTcp(
  into: Uint8Array,
  at: number,
  fields: TcpFields,
  dataBytes: number,
  source: number,
  destination: number,
): void {
  const headerBytes = tcpHeaderBytes(fields.mss);
  setU16(into, at, fields.sourcePort);
  setU16(into, at + 2, fields.destinationPort);
  setU32(into, at + 4, fields.seq);
  setU32(into, at + 8, fields.ack);
  into[at + 12] = (headerBytes / 4) << 4;
  into[at + 13] = fields.flags;
  setU16(into, at + 14, fields.window);
  setU32(into, at + 16, 0);
  if (fields.mss !== 0) setU32(into, at + 20, 0x0204_0000 + fields.mss);
  const length = headerBytes + dataBytes;
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_TCP, length);
  setU16(into, at + 16, internetChecksum(addWords(sum, into, at, at + length)));
}

/** Reads the segment in the `length` bytes at `at`. Options other than the maximum segment size are skipped. */
export function decodeTcp(
  bytes: Uint8Array,
  at: number,
  length: number,
  source: number,
  destination: number,
): TcpSegment | TcpReject {
  const headerBytes = (bytes[at + 12]! >> 4) * 4;
  if (length < TCP_BYTES || headerBytes < TCP_BYTES || headerBytes > length || bytes.length < at + length) {
    return 'tcp-truncated';
  }
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_TCP, length);
  if (internetChecksum(addWords(sum, bytes, at, at + length)) !== 0) return 'bad-tcp-checksum';
  return {
    sourcePort: getU16(bytes, at),
    destinationPort: getU16(bytes, at + 2),
    seq: getU32(bytes, at + 4),
    ack: getU32(bytes, at + 8),
    flags: bytes[at + 13]! & 63,
    window: getU16(bytes, at + 14),
    mss: mssOption(bytes, at + TCP_BYTES, at + headerBytes),
    dataAt: at + headerBytes,
    dataBytes: length - headerBytes,
  };
}

/** Walks the options: 0 ends them, 1 is padding, every other one has its length behind its kind. */
function mssOption(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== 0) {
    if (bytes[at] === 1) {
      at += 1;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1]! : 0;
    if (length < 2 || at + length > end) return 0;
    if (bytes[at] === 2 && length === 4) return getU16(bytes, at + 2);
    at += length;
  }
  return 0;
}

/** Bytes of sequence space that a segment takes: its data, and one each for SYN and FIN. */
export function segmentLength(segment: TcpSegment): number {
  return segment.dataBytes + ((segment.flags & SYN) !== 0 ? 1 : 0) + ((segment.flags & FIN) !== 0 ? 1 : 0);
}
