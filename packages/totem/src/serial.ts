const ROLLOVER_POINT = 0x8000_0000;
const ROLLOVER_VALUE = 0x1_0000;

/**
 * Whether sequence number `a` comes before `b`, both unsigned 32-bit.
 *
 * Once either is past the middle of the number space both are moved down by 0x10000 (mod 2^32) and compared unsigned, so
 * that the numbers just after the wrap come after those just before it. The aru 0xffffffff of a ring's first token is
 * for the same reason not above 0.
 *
 * Source: corosync include/corosync/sq.h, `sq_lt_compare`.
 */
export function isSerialLess(a: number, b: number): boolean {
  if (a > ROLLOVER_POINT || b > ROLLOVER_POINT) return (a - ROLLOVER_VALUE) >>> 0 < (b - ROLLOVER_VALUE) >>> 0;
  return a < b;
}

/** Whether `a` comes before `b` or equals it; corosync's `sq_lte_compare`. */
export function isSerialLessOrEqual(a: number, b: number): boolean {
  if (a > ROLLOVER_POINT || b > ROLLOVER_POINT) return (a - ROLLOVER_VALUE) >>> 0 <= (b - ROLLOVER_VALUE) >>> 0;
  return a <= b;
}
