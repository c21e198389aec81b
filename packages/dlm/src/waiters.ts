import { Result } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import { MessageType } from './message.js';
import { type Lkb, LkbFlag } from './resource.js';

/**
 * Notes that a reply is awaited. Of two operations in flight the second can only be a cancel or an unlock: it overlaps.
 *
 * Gives EINVAL or EBUSY if the message may not be sent, otherwise 0.
 *
 * Source: Linux fs/dlm/lock.c, `add_to_waiters`.
 */
export function addToWaiters(ls: Lockspace, lkb: Lkb, type: number, to: number): number {
  const isCancelOverlapped = lkb.has(LkbFlag.OVERLAP_CANCEL);
  if (lkb.has(LkbFlag.OVERLAP_UNLOCK) || (isCancelOverlapped && type === MessageType.CANCEL)) return Result.EINVAL;
  if (lkb.waitType !== 0 || isCancelOverlapped) {
    if (type === MessageType.UNLOCK) lkb.flags |= LkbFlag.OVERLAP_UNLOCK;
    else if (type === MessageType.CANCEL) lkb.flags |= LkbFlag.OVERLAP_CANCEL;
    else return Result.EBUSY;
  } else {
    lkb.waitType = type;
    lkb.waitNodeid = to;
    ls.waiters.add(lkb);
  }
  lkb.waitCount += 1;
  return 0;
}

/**
 * Whether a reply of that type is the one awaited. Linux takes any: one to a request would put a lock that converts on a second
 * queue. The directory node that is the master itself answers a LOOKUP as a REQUEST.
 */
function isAnswer(type: number, waitType: number): boolean {
  switch (waitType) {
    case MessageType.REQUEST:
      return type === MessageType.REQUEST_REPLY;
    case MessageType.LOOKUP:
      return type === MessageType.REQUEST_REPLY || type === MessageType.LOOKUP_REPLY;
    case MessageType.CONVERT:
      return type === MessageType.CONVERT_REPLY;
    case MessageType.UNLOCK:
      return type === MessageType.UNLOCK_REPLY;
    case MessageType.CANCEL:
      return type === MessageType.CANCEL_REPLY;
  }
  return false;
}

/**
 * Notes that a reply came. False if none was awaited, or the cancel it answers was overtaken by a grant.
 *
 * `isGrant`: it is a CONVERT_REPLY that grants.
 *
 * Source: Linux fs/dlm/lock.c, `_remove_from_waiters`.
 */
export function removeFromWaiters(ls: Lockspace, lkb: Lkb, type: number, isGrant = false): boolean {
  // The reply to a cancel comes after that to the conversion it overlaps: this one is to an earlier cancel, which a grant has
  // settled. Differs from Linux, which takes it for this cancel's, and then drops the conversion's reply.
  const isLate = type === MessageType.CANCEL_REPLY && lkb.waitType === MessageType.CONVERT;
  if (isLate && !ls.host.isStrict) return false;
  let isOverlapDone = false;
  if (type === MessageType.UNLOCK_REPLY && lkb.has(LkbFlag.OVERLAP_UNLOCK)) {
    lkb.flags &= ~LkbFlag.OVERLAP_UNLOCK;
    isOverlapDone = true;
  } else if (type === MessageType.CANCEL_REPLY && lkb.has(LkbFlag.OVERLAP_CANCEL)) {
    lkb.flags &= ~LkbFlag.OVERLAP_CANCEL;
    isOverlapDone = true;
  } else if (type === MessageType.CANCEL_REPLY && lkb.waitType !== MessageType.CANCEL) {
    return false;
  } else if (!isAnswer(type, lkb.waitType)) {
    return false;
  } else {
    // The owner learns of the grant now and may convert again: the cancel that is still under way must not be in its way.
    if (isGrant && lkb.waitType === MessageType.CONVERT && lkb.has(LkbFlag.OVERLAP_CANCEL)) {
      lkb.flags &= ~LkbFlag.OVERLAP_CANCEL;
      lkb.waitCount -= 1;
    }
    lkb.waitType = 0;
  }
  // Whatever was in flight before the cancel or unlock gets no reply any more.
  if (isOverlapDone && lkb.waitType !== 0) {
    lkb.waitCount -= 1;
    lkb.waitType = 0;
  }
  lkb.flags &= ~LkbFlag.RESEND;
  lkb.waitCount -= 1;
  if (lkb.waitCount === 0) ls.waiters.delete(lkb);
  return true;
}
