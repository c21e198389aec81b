import { crc32c, viewOf } from '@quorate/kernel';
import { corrupt } from '../vhdx-error.js';

/** Where headers, region tables and log entries keep the CRC-32C over all their bytes, with this field as zero. */
const CHECKSUM_OFFSET = 4;

/** Writes the checksum of a finished structure. */
export function seal(bytes: Uint8Array): void {
  viewOf(bytes).setUint32(CHECKSUM_OFFSET, 0, true);
  viewOf(bytes).setUint32(CHECKSUM_OFFSET, crc32c(bytes), true);
}

export function hasRightChecksum(bytes: Uint8Array): boolean {
  return viewOf(bytes).getUint32(CHECKSUM_OFFSET, true) === checksumOf(bytes);
}

/** @throws {VhdxError} when the checksum is wrong. */
export function checkChecksum(bytes: Uint8Array, structure: string, offset: number): void {
  const found = viewOf(bytes).getUint32(CHECKSUM_OFFSET, true);
  const right = checksumOf(bytes);
  if (found !== right) throw corrupt(structure, offset, `checksum ${hex32(found)}`, hex32(right));
}

/** The bytes are only lent, so the field is blanked in a copy. */
function checksumOf(bytes: Uint8Array): number {
  const copy = bytes.slice();
  copy.fill(0, CHECKSUM_OFFSET, CHECKSUM_OFFSET + 4);
  return crc32c(copy);
}

function hex32(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
