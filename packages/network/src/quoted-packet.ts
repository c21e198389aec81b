import { IPV4_BYTES } from './ipv4.js';
import { getU16, getU32 } from './octets.js';

/** What an ICMP error says about the packet it speaks of: header and first 8 bytes, without any checksum over it. */
export interface QuotedPacket {
  readonly protocol: number;
  readonly source: number;
  readonly destination: number;
  /** Of UDP and TCP. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Of TCP: the sequence number. */
  readonly seq: number;
  /** Of ICMP: the first byte, and the identifier. */
  readonly type: number;
  readonly identifier: number;
}

/** Reads the packet at `at`; undefined when it is not IPv4, too short, or a fragment other than the first. */
export function readQuoted(bytes: Uint8Array, at: number): QuotedPacket | undefined {
  const headerBytes = (bytes[at]! & 15) * 4;
  const data = at + headerBytes;
  if (bytes[at]! >> 4 !== 4 || headerBytes < IPV4_BYTES || bytes.length < data + 8) return undefined;
  if ((getU16(bytes, at + 6) & 0x1fff) !== 0) return undefined;
  return {
    protocol: bytes[at + 9]!,
    source: getU32(bytes, at + 12),
    destination: getU32(bytes, at + 16),
    sourcePort: getU16(bytes, data),
    destinationPort: getU16(bytes, data + 2),
    seq: getU32(bytes, data + 4),
    type: bytes[data]!,
    identifier: getU16(bytes, data + 4),
  };
}
