import { ETHERTYPE_IPV4 } from './ethernet.js';
import { getMac, getU16, getU32, setMac, setU16, setU32 } from './octets.js';

export const ARP_BYTES = 28;
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;

/** An ARP packet for IPv4 over Ethernet. MAC addresses are numbers of 48 bits, IPv4 addresses of 32. */
export interface ArpPacket {
  /** 1 request, 2 reply. */
  readonly operation: number;
  readonly senderMac: number;
  /** 0 in the probe of a host that asks whether an address is taken before it uses it. */
  readonly senderAddress: number;
  /** What is asked for; means nothing in a request. */
  readonly targetMac: number;
  readonly targetAddress: number;
}

/**
 * Writes an ARP packet at `at`: 28 bytes.
 *
 * offset size field
 *      0    2 hardware type    1 Ethernet
 *      2    2 protocol type    0x0800 IPv4
 *      4    1 hardware length  6
 *      5    1 protocol length  4
 *      6    2 operation        1 request, 2 reply
 *      8    6 sender hardware address
 *     14    4 sender protocol address
 *     18    6 target hardware address
 *     24    4 target protocol address
 *
 * Source: RFC 826; RFC 5227 for probes (sender address 0) and announcements (sender and target address equal).
 */
export function encodeArp(into: Uint8Array, at: number, packet: ArpPacket): void {
  setU16(into, at, 1);
  setU16(into, at + 2, ETHERTYPE_IPV4);
  into[at + 4] = 6;
  into[at + 5] = 4;
  setU16(into, at + 6, packet.operation);
  setMac(into, at + 8, packet.senderMac);
  setU32(into, at + 14, packet.senderAddress);
  setMac(into, at + 18, packet.targetMac);
  setU32(into, at + 24, packet.targetAddress);
}

/** `bad-arp`: too short, not IPv4 over Ethernet, or an operation other than request and reply. */
export function decodeArp(bytes: Uint8Array, at: number): ArpPacket | 'bad-arp' {
  if (bytes.length < at + ARP_BYTES) return 'bad-arp';
  if (getU16(bytes, at) !== 1 || getU16(bytes, at + 2) !== ETHERTYPE_IPV4) return 'bad-arp';
  if (bytes[at + 4] !== 6 || bytes[at + 5] !== 4) return 'bad-arp';
  const operation = getU16(bytes, at + 6);
  if (operation !== ARP_REQUEST && operation !== ARP_REPLY) return 'bad-arp';
  return {
    operation,
    senderMac: getMac(bytes, at + 8),
    senderAddress: getU32(bytes, at + 14),
    targetMac: getMac(bytes, at + 18),
    targetAddress: getU32(bytes, at + 24),
  };
}
