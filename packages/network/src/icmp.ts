import { addWords, internetChecksum } from './checksum.js';
import { IPV4_BYTES } from './ipv4.js';
import { getU16, setU16 } from './octets.js';

export const ICMP_BYTES = 8;
export const ICMP_ECHO_REPLY = 0;
export const ICMP_UNREACHABLE = 3;
export const ICMP_ECHO = 8;
export const ICMP_TIME_EXCEEDED = 11;

/** Codes of destination unreachable. */
export const UNREACHABLE_NET = 0;
export const UNREACHABLE_PROTOCOL = 2;
export const UNREACHABLE_PORT = 3;

/** Code of time exceeded: the fragments of a datagram did not all arrive in time. */
export const EXCEEDED_REASSEMBLY = 1;

/** The first eight bytes of a message; what follows is echo data or the packet that an error speaks of. */
export interface IcmpHeader {
  readonly type: number;
  readonly code: number;
  /** Chosen by whoever sends the echo; zero in an error. */
  readonly identifier: number;
  readonly sequence: number;
}

export type IcmpReject = 'icmp-truncated' | 'bad-icmp-checksum';

/**
 * Writes the first 8 bytes of a message at `at` and the checksum over them and the `dataBytes` that already follow.
 *
 * offset size field
 *      0    1 type          0 echo reply, 3 destination unreachable, 8 echo, 11 time exceeded
 *      1    1 code          of 3: 0 net, 1 host, 2 protocol, 3 port; of 11: 0 in transit, 1 reassembly
 *      2    2 checksum      over the whole message
 *      4    2 identifier    echo and its reply; else zero
 *      6    2 sequence      echo and its reply; else zero
 *      8    … data          echo: returned as it came; errors: header and first 8 bytes of the packet
 *
 * Source: RFC 792.
 */
export function encodeIcmp(into: Uint8Array, at: number, header: IcmpHeader, dataBytes: number): void {
  into[at] = header.type;
  into[at + 1] = header.code;
  setU16(into, at + 2, 0);
  setU16(into, at + 4, header.identifier);
  setU16(into, at + 6, header.sequence);
  setU16(into, at + 2, internetChecksum(addWords(0, into, at, at + ICMP_BYTES + dataBytes)));
}

/** Reads a message of `length` bytes at `at`. */
export function decodeIcmp(bytes: Uint8Array, at: number, length: number): IcmpHeader | IcmpReject {
  if (length < ICMP_BYTES || bytes.length < at + length) return 'icmp-truncated';
  if (internetChecksum(addWords(0, bytes, at, at + length)) !== 0) return 'bad-icmp-checksum';
  return {
    type: bytes[at]!,
    code: bytes[at + 1]!,
    identifier: getU16(bytes, at + 4),
    sequence: getU16(bytes, at + 6),
  };
}

/** How much of a packet an ICMP error quotes: its header and the first 8 bytes after it. */
export function quotedBytes(packet: Uint8Array, at: number): number {
  const headerBytes = Math.max(IPV4_BYTES, (packet[at]! & 15) * 4);
  return Math.min(packet.length - at, headerBytes + 8);
}
