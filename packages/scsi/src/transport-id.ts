import { asciiBytes, cString } from '@quorate/kernel';

/** An initiator port: iSCSI name and initiator session id. Both together identify it; a new isid is another port. */
export interface InitiatorPort {
  /** `iqn.1991-05.com.microsoft:my-vm1`, ASCII, at most 223 characters. */
  readonly name: string;
  /** 12 lower-case hex digits: `400000000001`. */
  readonly isid: string;
}

/** @throws {RangeError} when the name is not 1 to 223 characters of printable ASCII, or the isid not 12 hex digits. */
export function checkPort({ name, isid }: InitiatorPort): void {
  if (!/^[\x21-\x7e]{1,223}$/.test(name)) throw new RangeError(`initiator name "${name}"`);
  if (!/^[0-9a-f]{12}$/.test(isid)) throw new RangeError(`isid "${isid}": 12 lower-case hex digits`);
}

/** Name of an initiator port as SCSI writes it: `iqn.…,i,0x400000000001`. */
export function portName(port: InitiatorPort): string {
  return `${port.name},i,0x${port.isid}`;
}

/**
 * TransportID of an iSCSI initiator port.
 *
 * offset size field
 *      0    1 format, protocol  45h: bits 7-6 01b name with isid, bits 3-0 5 iSCSI (05h: name of the device only)
 *      2    2 length            of the name, a multiple of 4, at least 20
 *      4      name              `iqn.…,i,0x` and 12 hex digits, NUL terminated, zeros to a multiple of 4
 *
 * Source: SPC-4, "TransportID for initiator ports using SCSI over iSCSI".
 */
export function encodeTransportId(port: InitiatorPort): Uint8Array<ArrayBuffer> {
  const name = asciiBytes(portName(port));
  const length = Math.max(20, (name.length + 4) & ~3);
  const bytes = new Uint8Array(4 + length);
  bytes[0] = 0x45;
  bytes[2] = length >> 8;
  bytes[3] = length;
  bytes.set(name, 4);
  return bytes;
}

/** Bytes of the TransportID that starts at `at`; 0 when it is cut off. */
export function transportIdLength(bytes: Uint8Array, at: number): number {
  if (at + 4 > bytes.length) return 0;
  const length = 4 + ((bytes[at + 2]! << 8) | bytes[at + 3]!);
  return at + length > bytes.length ? 0 : length;
}

/**
 * Reads a TransportID, all of `bytes`. Undefined for another protocol, a length that is wrong, a name without NUL, and
 * for the form without isid: it names a device, not a port.
 */
export function decodeTransportId(bytes: Uint8Array): InitiatorPort | undefined {
  if (bytes.length < 24 || bytes[0] !== 0x45) return undefined;
  if (bytes.length % 4 !== 0 || transportIdLength(bytes, 0) !== bytes.length) return undefined;
  if (bytes[bytes.length - 1] !== 0) return undefined;
  const match = /^([\x21-\x7e]+),i,0x([0-9a-f]{12})$/i.exec(cString(bytes, 4));
  return match === null ? undefined : { name: match[1]!, isid: match[2]!.toLowerCase() };
}
