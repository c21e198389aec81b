/** The Ethernet address of everybody on the segment, `ff:ff:ff:ff:ff:ff`. */
export const BROADCAST_MAC = 0xffff_ffff_ffff;

/** The IPv4 address of everybody on the link, `255.255.255.255`. */
export const LIMITED_BROADCAST = 0xffff_ffff;

/** An address of an interface with its prefix: `10.156.76.74/22`. All fields are unsigned 32-bit numbers. */
export interface InterfaceAddress {
  readonly address: number;
  /** 0..32. */
  readonly prefixLength: number;
  readonly mask: number;
  /** The address with its host bits cleared. */
  readonly network: number;
  /** The address with its host bits set; equal to the address itself for a /32. */
  readonly broadcast: number;
}

/** Reads `10.156.76.74` as an unsigned 32-bit number; undefined for anything else. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    address = address * 256 + Number(part);
  }
  return address;
}

export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** Reads `00:15:5d:4c:4a:01` as a number of 48 bits; undefined for anything else. */
export function parseMac(text: string): number | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Number.parseInt(text.replaceAll(':', ''), 16);
}

export function formatMac(mac: number): string {
  const digits = mac.toString(16).padStart(12, '0');
  return `${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4, 6)}:${digits.slice(6, 8)}:${digits.slice(8, 10)}:${digits.slice(10)}`;
}

/** Reads `10.156.76.74/22`; without a prefix length it is a /32. Undefined for anything else. */
export function parseInterfaceAddress(text: string): InterfaceAddress | undefined {
  const slash = text.indexOf('/');
  const address = parseIpv4(slash < 0 ? text : text.slice(0, slash));
  const length = slash < 0 ? '32' : text.slice(slash + 1);
  if (address === undefined || !/^[0-9]{1,2}$/.test(length) || Number(length) > 32) return undefined;
  const prefixLength = Number(length);
  // A shift by 32 is a shift by 0 in ECMAScript.
  const mask = prefixLength === 0 ? 0 : (0xffff_ffff << (32 - prefixLength)) >>> 0;
  return { address, prefixLength, mask, network: (address & mask) >>> 0, broadcast: (address | ~mask) >>> 0 };
}

export function formatInterfaceAddress(address: InterfaceAddress): string {
  return `${formatIpv4(address.address)}/${address.prefixLength}`;
}

/** Whether the address names a group: 224.0.0.0/4. */
export function isMulticast(address: number): boolean {
  return address >>> 28 === 14;
}

/** Whether the address is one of 127.0.0.0/8, which never leave the host. */
export function isLoopback(address: number): boolean {
  return address >>> 24 === 127;
}

/** The Ethernet address of a group: 01:00:5e and the low 23 bits. Source: RFC 1112, section 6.4. */
export function multicastMac(group: number): number {
  return 0x0100_5e00_0000 + (group & 0x7f_ffff);
}
