import { crc32c } from '@quorate/kernel';

/** Bytes of a digest. */
export const DIGEST_BYTES = 4;

/** Puts CRC32C of `bytes` from `start` to `end` at `at`: the value goes out least significant byte first. */
export function putDigest(bytes: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  const crc = crc32c(bytes, start, end);
  into[at] = crc;
  into[at + 1] = crc >>> 8;
  into[at + 2] = crc >>> 16;
  into[at + 3] = crc >>> 24;
}

/** Whether the digest at `end` is that of what stands from `start` to there. */
export function isDigestRight(bytes: Uint8Array, start: number, end: number): boolean {
  const crc = crc32c(bytes, start, end);
  const found = bytes[end]! | (bytes[end + 1]! << 8) | (bytes[end + 2]! << 16) | (bytes[end + 3]! << 24);
  return found >>> 0 === crc;
}
