// Big-endian fields read and written in place: a DataView per frame would be an allocation per frame. Reading past
// the end gives zeros, so a decoder compares lengths once.

export function getU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

export function setU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function getU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function setU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** A MAC address as a number of 48 bits. */
export function getMac(bytes: Uint8Array, at: number): number {
  return getU16(bytes, at) * 0x1_0000_0000 + getU32(bytes, at + 2);
}

export function setMac(bytes: Uint8Array, at: number, mac: number): void {
  setU16(bytes, at, Math.floor(mac / 0x1_0000_0000));
  setU32(bytes, at + 2, mac >>> 0);
}
