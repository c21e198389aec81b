/** Configured id of a node: an unsigned 32-bit number, never 0. */
export type NodeId = number;

/** Names one ring: its representative and a sequence that only grows. Two rings are the same if both parts are. */
export interface RingId {
  readonly representative: NodeId;
  /** Unsigned 64-bit on the wire; exact here up to 2^53 - 1. */
  readonly seq: number;
}

/** No ring at all: what a field holds before it names one. */
export const NO_RING: RingId = { representative: 0, seq: 0 };

export function isSameRing(a: RingId, b: RingId): boolean {
  return a.seq === b.seq && a.representative === b.representative;
}

/** `rep.seq` in hexadecimal, as corosync's logs print it: `1.1b`. */
export function formatRing(ring: RingId): string {
  return `${ring.representative.toString(16)}.${ring.seq.toString(16)}`;
}
