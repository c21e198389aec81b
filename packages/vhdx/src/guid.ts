import { fromHex, hex } from '@quorate/kernel';

/** A GUID as text, 36 lower-case characters. On disk its first three fields are little-endian. */
export type Guid = string;

/** Fills the bytes it is given at random: the source of every GUID that an image writes. */
export type RandomBytes = (into: Uint8Array) => void;

export const NIL_GUID: Guid = '00000000-0000-0000-0000-000000000000';

export function readGuid(bytes: Uint8Array, at: number): Guid {
  const reversed = (from: number, to: number): string => hex(bytes.slice(at + from, at + to).reverse());
  const tail = hex(bytes, at + 8, at + 16);
  return `${reversed(0, 4)}-${reversed(4, 6)}-${reversed(6, 8)}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

/** @throws {RangeError} when the text is no GUID. */
export function writeGuid(bytes: Uint8Array, at: number, guid: Guid): void {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(guid)) throw new RangeError(`not a GUID: ${guid}`);
  const raw = fromHex(guid.replaceAll('-', ''));
  raw.subarray(0, 4).reverse();
  raw.subarray(4, 6).reverse();
  raw.subarray(6, 8).reverse();
  bytes.set(raw, at);
}

/** A random GUID (RFC 4122, version 4); never the nil GUID. */
export function newGuid(random: RandomBytes): Guid {
  const bytes = new Uint8Array(16);
  random(bytes);
  bytes[7] = (bytes[7]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return readGuid(bytes, 0);
}
