import { getMac, getU16, setMac, setU16 } from './octets.js';

export const ETHERNET_BYTES = 14;
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;

/** MAC addresses are numbers of 48 bits. */
export interface EthernetHeader {
  readonly destination: number;
  readonly source: number;
  readonly type: number;
}

/**
 * Writes the header of an Ethernet II frame at the start of `into`.
 *
 * offset size field
 *      0    6 destination  MAC; bit 0 of the first byte: group address
 *      6    6 source       MAC
 *     12    2 type         0x0800 IPv4, 0x0806 ARP
 *     14    … payload      at most the MTU, 1500 bytes
 *
 * Preamble, padding to 60 bytes and frame check sequence belong to the hardware and are left out, as a capture of
 * one's own frames shows them. Source: IEEE 802.3, section 3.1.1; RFC 894.
 */
export function encodeEthernet(into: Uint8Array, destination: number, source: number, type: number): void {
  setMac(into, 0, destination);
  setMac(into, 6, source);
  setU16(into, 12, type);
}

/** `runt`: shorter than the header. */
export function decodeEthernet(bytes: Uint8Array): EthernetHeader | 'runt' {
  if (bytes.length < ETHERNET_BYTES) return 'runt';
  return { destination: destinationOf(bytes), source: getMac(bytes, 6), type: typeOf(bytes) };
}

/** The destination of a frame that has a whole header: a header object for each frame would be an allocation too many. */
export function destinationOf(frame: Uint8Array): number {
  return getMac(frame, 0);
}

/** The type of a frame that has a whole header. */
export function typeOf(frame: Uint8Array): number {
  return getU16(frame, 12);
}

/** Whether a MAC address names a group, or everybody: the lowest bit of its first byte. */
export function isGroupMac(mac: number): boolean {
  return (Math.floor(mac / 0x100_0000_0000) & 1) === 1;
}
