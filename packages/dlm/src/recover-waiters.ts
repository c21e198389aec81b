import { queueCast } from './callbacks.js';
import { LockFlag, Result, Status } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import { MessageType } from './message.js';
import { isMiddleConversion, Mode } from './mode.js';
import { cancelAtMaster, confirmMaster, convertAtMaster, requestAtMaster, unlockAtMaster } from './owner.js';
import { receiveCancelResult, receiveConvertResult, receiveUnlockResult } from './process-copy.js';
import { beginMiddleRecovery } from './recover-locks.js';
import { type Lkb, LkbFlag, type Rsb } from './resource.js';
import { removeFromWaiters } from './waiters.js';

// Operations whose reply may never come. Source: Linux fs/dlm/lock.c; the functions keep their names.

/**
 * Before locks move: what awaits a reply of a node that is gone is completed, or marked to be issued anew. Lookups always
 * are, since the directory is rebuilt.
 */
export function recoverWaitersPre(ls: Lockspace): void {
  for (const lkb of [...ls.waiters].reverse()) {
    if (lkb.waitType === MessageType.LOOKUP) lkb.flags |= LkbFlag.RESEND;
    else if (needsRecovery(ls, lkb)) recoverWaiter(ls, lkb);
    ls.freeIfDone(lkb);
  }
}

/** Its reply will not come. Without a directory no master keeps what it had, nor answers what came before (`waiter_needs_recovery`). */
function needsRecovery(ls: Lockspace, lkb: Lkb): boolean {
  return ls.isNodir || ls.isRemoved(lkb.waitNodeid);
}

function recoverWaiter(ls: Lockspace, lkb: Lkb): void {
  let type = lkb.waitType;
  let unlockResult: number = Status.EUNLOCK;
  let cancelResult: number = Status.ECANCEL;
  if (type === 0) {
    // The reply of the operation came, that of the cancel or unlock which overlapped it did not.
    if (lkb.has(LkbFlag.OVERLAP_CANCEL)) type = MessageType.CANCEL;
    if (ls.host.isStrict) return;
    if (lkb.has(LkbFlag.OVERLAP_UNLOCK)) type = MessageType.UNLOCK;
    if (lkb.grmode === Mode.IV) {
      cancelResult = 0;
      unlockResult = Result.ENOENT;
    }
  }
  switch (type) {
    case MessageType.REQUEST:
      lkb.flags |= LkbFlag.RESEND;
      break;
    case MessageType.CONVERT:
      recoverConvertWaiter(ls, lkb.resource, lkb);
      break;
    case MessageType.UNLOCK:
      if (removeFromWaiters(ls, lkb, MessageType.UNLOCK_REPLY))
        receiveUnlockResult(ls, lkb.resource, lkb, unlockResult);
      break;
    case MessageType.CANCEL:
      if (removeFromWaiters(ls, lkb, MessageType.CANCEL_REPLY))
        receiveCancelResult(ls, lkb.resource, lkb, cancelResult);
      // Linux forgets the unlock that came after the cancel.
      if (!ls.host.isStrict && lkb.has(LkbFlag.OVERLAP_UNLOCK)) recoverWaiter(ls, lkb);
      break;
  }
}

/**
 * It is issued anew. Between PR and CW nobody can say which of them the old master had granted, so that Linux queues such a
 * conversion at the new master, whatever its flags, and forgets a cancel or unlock that overlaps it.
 */
function recoverConvertWaiter(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  if (!isMiddleConversion(lkb.grmode, lkb.rqmode)) {
    if (lkb.rqmode >= lkb.grmode) lkb.flags |= LkbFlag.RESEND;
  } else if (!ls.host.isStrict) {
    lkb.flags |= LkbFlag.RESEND;
    beginMiddleRecovery(ls, r, lkb);
  } else if (removeFromWaiters(ls, lkb, MessageType.CONVERT_REPLY)) {
    receiveConvertResult(ls, r, lkb, Result.EINPROGRESS);
    beginMiddleRecovery(ls, r, lkb);
  }
}

/** When locking goes on: what was marked is issued anew, or ended if it was canceled or unlocked meanwhile. */
export function recoverWaitersPost(ls: Lockspace): void {
  for (const lkb of [...ls.waiters].reverse()) {
    if (!lkb.has(LkbFlag.RESEND)) continue;
    const type = lkb.waitType;
    const isCancel = lkb.has(LkbFlag.OVERLAP_CANCEL);
    const isUnlock = lkb.has(LkbFlag.OVERLAP_UNLOCK);
    lkb.flags &= ~(LkbFlag.RESEND | LkbFlag.OVERLAP_CANCEL | LkbFlag.OVERLAP_UNLOCK);
    lkb.waitType = lkb.waitCount = 0;
    ls.waiters.delete(lkb);
    if (type === MessageType.CONVERT) resumeConvert(ls, lkb, isCancel, isUnlock);
    else resumeRequest(ls, lkb, isCancel, isUnlock);
    ls.freeIfDone(lkb);
  }
}

function resumeRequest(ls: Lockspace, lkb: Lkb, isCancel: boolean, isUnlock: boolean): void {
  const r = lkb.resource;
  if (isCancel || isUnlock) {
    queueCast(ls, lkb, isUnlock ? Status.EUNLOCK : Status.ECANCEL);
    // Linux leaves the resource waiting for this lock's lookup, and panics when the next request comes (6.1).
    if (r.firstLkid === lkb.lkid) confirmMaster(ls, r, Result.ENOTBLK);
    return ls.releaseLkb(lkb);
  }
  requestAtMaster(ls, r, lkb);
  if (ls.isMaster(r)) confirmMaster(ls, r, 0);
}

function resumeConvert(ls: Lockspace, lkb: Lkb, isCancel: boolean, isUnlock: boolean): void {
  const { resource: r } = lkb;
  if (isCancel && !isUnlock && mayBeGranted(ls, lkb)) {
    convertAtMaster(ls, r, lkb);
    return void cancelAtMaster(ls, r, lkb);
  }
  if (isCancel) {
    queueCast(ls, lkb, Status.ECANCEL);
    // Linux forgets the unlock that came after the cancel.
    if (!isUnlock || ls.host.isStrict) return;
  }
  if (!isUnlock) return convertAtMaster(ls, r, lkb);
  lkb.exflags |= LockFlag.FORCEUNLOCK;
  unlockAtMaster(ls, r, lkb);
}

/** Recovery has found out perhaps that the old master had granted it. */
function mayBeGranted(ls: Lockspace, { grmode, rqmode }: Lkb): boolean {
  return !ls.host.isStrict && (grmode === rqmode || isMiddleConversion(grmode, rqmode));
}
