import { isSameRing, type NodeId, type RingId } from './ring-id.js';
import { isSerialLess, isSerialLessOrEqual } from './serial.js';
import type { CommitToken, MemberEntry } from './wire/commit-token.js';
import type { OrfToken } from './wire/orf-token.js';

/** Members of the old ring that come along from it into the new one: the transitional configuration, in `memb`'s order. */
export function transitionalMembers(memb: readonly NodeId[], token: CommitToken, oldRing: RingId): NodeId[] {
  return memb.filter((node) => {
    const entry = entryOf(token, node);
    return entry !== undefined && isSameRing(entry.ring, oldRing);
  });
}

/** Whether one of them misses messages, so that those who hold them must send them again. */
export function isExchangeNeeded(trans: readonly NodeId[], token: CommitToken): boolean {
  return trans.some((node) => entryOf(token, node)?.receivedFlg === 0);
}

/** The least aru among them: everybody holds everything up to it. */
export function lowRingAru(deliverMemb: readonly NodeId[], token: CommitToken, oldRing: RingId, from: number): number {
  let low = from;
  for (const node of deliverMemb) {
    const entry = entryOf(token, node);
    if (entry !== undefined && isSameRing(entry.ring, oldRing) && isSerialLess(entry.aru, low)) low = entry.aru;
  }
  return low;
}

/** How far a member of the old ring had delivered it: all of its members hold so much. */
export function highRingDelivered(token: CommitToken, oldRing: RingId): number {
  let high = 0;
  for (const { ring, highDelivered } of token.entries) {
    if (isSameRing(ring, oldRing) && isSerialLess(high, highDelivered)) high = highDelivered;
  }
  return high;
}

function entryOf(token: CommitToken, node: NodeId): MemberEntry | undefined {
  const at = token.addresses.indexOf(node);
  return at < 0 ? undefined : token.entries[at];
}

/**
 * Finds the end of recovery: nobody has anything to send again for two rotations, which fixes the last sequence number;
 * then everybody holds all up to it for two rotations more.
 *
 * Source: Totem, recovery protocol; corosync exec/totemsrp.c, `message_handler_orf_token`, state RECOVERY.
 */
export class RecoveryEnd {
  #retransFlagCount = 0;
  #rotationCount = 0;
  #installSeq = 0;
  #setRetransFlag = false;

  /** Forgets the last recovery, which may have failed half way. */
  reset(): void {
    this.#retransFlagCount = 0;
    this.#rotationCount = 0;
    this.#installSeq = 0;
    this.#setRetransFlag = false;
  }

  /** The value of `retrans_flg` with which a ring's first token starts. */
  startFlag(hasQueued: boolean): number {
    this.#setRetransFlag = hasQueued;
    return hasQueued ? 1 : 0;
  }

  /**
   * Sees a token after this node's packets were sent: sets its flag and counts. `aru` is this node's own.
   * - `received`: this node holds every message that is to be recovered.
   * - `operational`: so does everybody.
   */
  onToken(token: OrfToken, hasQueued: boolean, aru: number): 'wait' | 'received' | 'operational' {
    if (hasQueued) {
      if (token.retransFlg === 0) {
        token.retransFlg = 1;
        this.#setRetransFlag = true;
      }
    } else if (token.retransFlg === 1 && this.#setRetransFlag) {
      token.retransFlg = 0;
      this.#setRetransFlag = false;
    }
    this.#retransFlagCount = token.retransFlg === 0 ? this.#retransFlagCount + 1 : 0;
    if (this.#retransFlagCount === 2) this.#installSeq = token.seq;
    const isReceived = this.#retransFlagCount >= 2 && isSerialLessOrEqual(this.#installSeq, aru);
    const isEverywhere = this.#retransFlagCount >= 3 && isSerialLessOrEqual(this.#installSeq, token.aru);
    this.#rotationCount = isEverywhere ? this.#rotationCount + 1 : 0;
    if (this.#rotationCount === 2) return 'operational';
    return isReceived ? 'received' : 'wait';
  }
}
