// Sequence numbers live on a circle of 2^32: a is before b when the way from a forward to b is the shorter one.
// Source: RFC 9293, section 3.4.

export function seqAdd(seq: number, count: number): number {
  return (seq + count) >>> 0;
}

/** How far `a` is ahead of `b`, negative when it is behind. */
export function seqDistance(a: number, b: number): number {
  return (a - b) | 0;
}

export function seqBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function seqAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}
