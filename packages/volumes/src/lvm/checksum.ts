import { concatBytes, crc32, fromHex } from '@quorate/kernel';

/** Four bytes that take a CRC-32 from its usual start to LVM's, 0xf597a6cf. */
const TO_INITIAL = fromHex('2d7d2c51');

/**
 * LVM2's checksum of bytes that stand one after the other: CRC-32 (IEEE) begun with 0xf597a6cf and not inverted at its end.
 *
 * Source: LVM2 lib/misc/crc.c, `calc_crc`; lib/misc/crc.h, `INITIAL_CRC`.
 */
export function lvmChecksum(...parts: readonly Uint8Array[]): number {
  return ~crc32(concatBytes(TO_INITIAL, ...parts)) >>> 0;
}
