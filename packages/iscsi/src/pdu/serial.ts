/** Serial number arithmetic over 32 bits. Source: RFC 1982, as RFC 7143, 4.2.2.1 uses it for CmdSN and StatSN. */

/** Whether `a` comes before `b`. */
export function isBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function addSerial(a: number, b: number): number {
  return (a + b) >>> 0;
}
