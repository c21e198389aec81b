import { isSameRing, NO_RING, type NodeId, type RingId } from './ring-id.js';
import { isSerialLess } from './serial.js';
import type { CommitToken, MemberEntry } from './wire/commit-token.js';

/** Distance from the highest ring sequence seen to the next ring's, so that ids of failed formations differ. */
const RING_SEQ_STEP = 4;

/** The representative's new commit token: nobody has filled an entry. `addresses` are in ring order. */
export function createCommitToken(me: NodeId, maxRingSeq: number, addresses: readonly NodeId[]): CommitToken {
  const entries = addresses.map((): MemberEntry => ({ ring: NO_RING, aru: 0, highDelivered: 0, receivedFlg: 0 }));
  return {
    nodeId: me,
    tokenSeq: 0,
    ring: { representative: me, seq: maxRingSeq + RING_SEQ_STEP },
    membIndex: 0,
    addresses,
    entries,
  };
}

/** What a node puts into its entry. */
export interface OldRingState {
  readonly ring: RingId;
  readonly aru: number;
  readonly highDelivered: number;
  /** Whether there is no hole up to the highest message received. */
  readonly hasAll: boolean;
}

/**
 * Fills the next entry and compares arus: of those that come from this node's old ring, whoever holds less than the
 * best so far has not received everything. Returns whether this node has.
 *
 * Source: corosync exec/totemsrp.c, `memb_state_commit_token_update`.
 */
export function fillEntry(token: CommitToken, mine: OldRingState): boolean {
  const entry = token.entries[token.membIndex]!;
  entry.ring = mine.ring;
  entry.aru = mine.aru;
  entry.highDelivered = mine.highDelivered;
  entry.receivedFlg = mine.hasAll ? 1 : 0;

  const companions = token.entries.slice(0, token.membIndex + 1).filter((other) => isSameRing(other.ring, mine.ring));
  let highAru = mine.aru;
  for (const other of companions) if (isSerialLess(highAru, other.aru)) highAru = other.aru;
  for (const other of companions) if (isSerialLess(other.aru, highAru)) other.receivedFlg = 0;
  token.membIndex += 1;
  return entry.receivedFlg === 1;
}
