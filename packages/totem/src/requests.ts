import type { HeldPacket } from './held-packet.js';
import { isSameRing, type RingId } from './ring-id.js';
import type { SequenceQueue } from './sequence-queue.js';
import { MAX_RTR_ENTRIES, type OrfToken } from './wire/orf-token.js';

/**
 * Sends again what others ask for with the token and this node holds, at most `allowed` packets, and takes it off the
 * list. Returns how many that were.
 *
 * Source: corosync exec/totemsrp.c, `orf_token_rtr`.
 */
export function answerRequests(
  token: OrfToken,
  ring: RingId,
  queue: SequenceQueue<HeldPacket>,
  allowed: number,
  send: (held: HeldPacket) => void,
): number {
  let resent = 0;
  token.rtr = token.rtr.filter((entry) => {
    if (resent >= allowed || !isSameRing(entry.ring, ring)) return true;
    const held = queue.get(entry.seq);
    if (held === undefined) return true;
    send(held);
    resent += 1;
    return false;
  });
  return resent;
}

/**
 * Asks with the token for what this node misses above its aru, once a hole has survived `missCount` tokens. Returns for how
 * many packets it asks that nobody asked for.
 */
export function addRequests(
  token: OrfToken,
  ring: RingId,
  queue: SequenceQueue<HeldPacket>,
  aru: number,
  missCount: number,
): number {
  const range = (token.seq - aru) >>> 0;
  let added = 0;
  for (let i = 1; i <= range && token.rtr.length < MAX_RTR_ENTRIES; i++) {
    const seq = (aru + i) >>> 0;
    if (!queue.isInRange(seq)) break;
    if (queue.has(seq) || queue.miss(seq) < missCount) continue;
    // As in corosync the ring of an entry does not count here.
    if (token.rtr.some((entry) => entry.seq === seq)) continue;
    token.rtr.push({ ring, seq });
    added += 1;
  }
  return added;
}
