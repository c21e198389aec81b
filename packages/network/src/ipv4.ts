import { addWords, internetChecksum } from './checksum.js';
import { getU16, getU32, setU16, setU32 } from './octets.js';

export const IPV4_BYTES = 20;
export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

/** The fields that a sender chooses. Addresses are unsigned 32-bit numbers. */
export interface Ipv4Fields {
  /** Names the datagram that a fragment belongs to. */
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In bytes, a multiple of 8. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: number;
  readonly destination: number;
}

/** A header as received. */
export interface Ipv4Header extends Ipv4Fields {
  /** 20, or more when the header carries options (they are skipped). */
  readonly headerBytes: number;
  /** What follows the header; bytes of padding after it are not counted. */
  readonly payloadBytes: number;
}

export type Ipv4Reject = 'ip-truncated' | 'bad-ip-header' | 'bad-ip-checksum';

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

/**
 * Writes a header without options at `at`: 20 bytes, the checksum over them included.
 *
 * offset size field
 *      0    1 version (high half: 4), header length in 4-byte words (low half: 5)
 *      1    1 type of service     0
 *      2    2 total length        header and payload, bytes
 *      4    2 identification
 *      6    2 flags and offset    bit 14 don't fragment, bit 13 more fragments, low 13 bits offset in 8-byte units
 *      8    1 time to live
 *      9    1 protocol            1 ICMP, 6 TCP, 17 UDP
 *     10    2 header checksum
 *     12    4 source address
 *     16    4 destination address
 *
 * Source: RFC 791, section 3.1.
 */
export function encodeIpv4(into: Uint8Array, at: number, fields: Ipv4Fields, payloadBytes: number): void {
  into[at] = 0x45;
  into[at + 1] = 0;
  setU16(into, at + 2, IPV4_BYTES + payloadBytes);
  setU16(into, at + 4, fields.identification);
  const flags = (fields.dontFragment ? DONT_FRAGMENT : 0) | (fields.moreFragments ? MORE_FRAGMENTS : 0);
  setU16(into, at + 6, flags | (fields.fragmentOffset >>> 3));
  into[at + 8] = fields.ttl;
  into[at + 9] = fields.protocol;
  setU16(into, at + 10, 0);
  setU32(into, at + 12, fields.source);
  setU32(into, at + 16, fields.destination);
  setU16(into, at + 10, internetChecksum(addWords(0, into, at, at + IPV4_BYTES)));
}

/**
 * Reads the header at `at`, or says why it is refused: `ip-truncated` when `bytes` ends before the packet does,
 * `bad-ip-header` for another version or impossible lengths, `bad-ip-checksum`.
 */
export function decodeIpv4(bytes: Uint8Array, at: number): Ipv4Header | Ipv4Reject {
  if (bytes.length < at + IPV4_BYTES) return 'ip-truncated';
  const headerBytes = (bytes[at]! & 15) * 4;
  const totalBytes = getU16(bytes, at + 2);
  if (bytes[at]! >> 4 !== 4 || headerBytes < IPV4_BYTES || totalBytes < headerBytes) return 'bad-ip-header';
  if (bytes.length < at + totalBytes) return 'ip-truncated';
  if (internetChecksum(addWords(0, bytes, at, at + headerBytes)) !== 0) return 'bad-ip-checksum';
  const flags = getU16(bytes, at + 6);
  return {
    headerBytes,
    payloadBytes: totalBytes - headerBytes,
    identification: getU16(bytes, at + 4),
    dontFragment: (flags & DONT_FRAGMENT) !== 0,
    moreFragments: (flags & MORE_FRAGMENTS) !== 0,
    fragmentOffset: (flags & 0x1fff) * 8,
    ttl: bytes[at + 8]!,
    protocol: bytes[at + 9]!,
    source: getU32(bytes, at + 12),
    destination: getU32(bytes, at + 16),
  };
}
