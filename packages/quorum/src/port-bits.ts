/** One bit for each of the 256 ports of a node: port p is bit p & 7 of byte p >> 3. */
export type PortBits = Uint8Array;

export const PORT_BITS_SIZE = 32;

export function noPorts(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(PORT_BITS_SIZE);
}

export function setPortBit(bits: PortBits, port: number): void {
  bits[port >> 3]! |= 1 << (port & 7);
}

export function clearPortBit(bits: PortBits, port: number): void {
  bits[port >> 3]! &= ~(1 << (port & 7));
}

export function hasPortBit(bits: PortBits, port: number): boolean {
  return (bits[port >> 3]! & (1 << (port & 7))) !== 0;
}

/** Ascending. */
export function portsOf(bits: PortBits): readonly number[] {
  const ports: number[] = [];
  for (let port = 0; port < 8 * PORT_BITS_SIZE; port++) if (hasPortBit(bits, port)) ports.push(port);
  return ports;
}
