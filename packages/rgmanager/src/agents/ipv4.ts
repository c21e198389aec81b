/** An IPv4 address as configured on an interface or in cluster.conf. */
export interface Ipv4Address {
  /** Without the prefix length: `10.156.76.58`. */
  readonly text: string;
  /** Unsigned 32 bits. */
  readonly bits: number;
  /** Undefined if none is given. */
  readonly prefix: number | undefined;
}

/** Reads `10.156.76.58` or `10.156.76.58/22`; undefined if it is neither. */
export function parseIpv4(text: string): Ipv4Address | undefined {
  const parts = /^((\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3}))(?:\/(\d{1,2}))?$/.exec(text);
  if (parts === null) return undefined;
  const octets = parts.slice(2, 6).map(Number);
  const prefix = parts[6] === undefined ? undefined : Number(parts[6]);
  if (octets.some((octet) => octet > 255) || (prefix ?? 0) > 32) return undefined;
  const bits = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return { text: parts[1]!, bits, prefix };
}

/** Whether an address lies in the network of an interface's address, and does not claim another prefix length. */
export function isInNetwork(address: Ipv4Address, own: Ipv4Address): boolean {
  const prefix = own.prefix ?? 32;
  if (address.prefix !== undefined && address.prefix !== prefix) return false;
  const size = 2 ** (32 - prefix);
  return Math.floor(address.bits / size) === Math.floor(own.bits / size);
}
