import { addWords, internetChecksum, pseudoHeaderSum } from './checksum.js';
import { PROTOCOL_UDP } from './ipv4.js';
import { getU16, setU16 } from './octets.js';

export const UDP_BYTES = 8;
/** The largest payload that IPv4 can carry: 65 535 less 20 and 8. */
export const UDP_LARGEST = 65_507;

export interface UdpHeader {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly dataBytes: number;
}

export type UdpReject = 'udp-truncated' | 'bad-udp-checksum';

/**
 * Writes the header at `at`, with the checksum over pseudo header, header and the `dataBytes` that already follow it.
 *
 * offset size field
 *      0    2 source port
 *      2    2 destination port
 *      4    2 length            header and data, bytes
 *      6    2 checksum          0 means none; a computed 0 is sent as 0xffff
 *      8    … data
 *
 * Source: RFC 768.
 */
export function encodeUdp(into: Uint8Array, at: number, header: UdpHeader, source: number, destination: number): void {
  const length = UDP_BYTES + header.dataBytes;
  setU16(into, at, header.sourcePort);
  setU16(into, at + 2, header.destinationPort);
  setU16(into, at + 4, length);
  setU16(into, at + 6, 0);
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_UDP, length);
  const checksum = internetChecksum(addWords(sum, into, at, at + length));
  setU16(into, at + 6, checksum === 0 ? 0xffff : checksum);
}

/** Reads the datagram in the `length` bytes at `at`; bytes after the length it states itself are ignored. */
export function decodeUdp(
  bytes: Uint8Array,
  at: number,
  length: number,
  source: number,
  destination: number,
): UdpHeader | UdpReject {
  const stated = getU16(bytes, at + 4);
  if (length < UDP_BYTES || stated < UDP_BYTES || stated > length || bytes.length < at + length) return 'udp-truncated';
  if (getU16(bytes, at + 6) !== 0) {
    const sum = pseudoHeaderSum(source, destination, PROTOCOL_UDP, stated);
    if (internetChecksum(addWords(sum, bytes, at, at + stated)) !== 0) return 'bad-udp-checksum';
  }
  return { sourcePort: getU16(bytes, at), destinationPort: getU16(bytes, at + 2), dataBytes: stated - UDP_BYTES };
}
