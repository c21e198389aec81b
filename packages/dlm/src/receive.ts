import { queueCast, queueLocalBast } from './callbacks.js';
import { findRsbRequested, masterLookup, receiveRemove } from './directory.js';
import type { RejectReason } from './dlm-io.js';
import { Result, Status, StatusFlag } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import {
  doCancel,
  doConvert,
  doConvertEffects,
  doRequest,
  doRequestEffects,
  doUnlock,
  grantPendingLocks,
} from './master.js';
import { Asts, type Message, MessageType, nameOf } from './message.js';
import { isDownConversion, Mode } from './mode.js';
import {
  cancelAtMaster,
  completeOverlap,
  confirmMaster,
  processLookupList,
  requestAtMaster,
  unlockAtMaster,
} from './owner.js';
import {
  grantLockPc,
  mungeAltmode,
  mungeDemoted,
  receiveCancelResult,
  receiveConvertResult,
  receiveFlagsReply,
  receiveUnlockResult,
} from './process-copy.js';
import { purgeOrphans } from './processes.js';
import { type Lkb, LkbFlag, LockStatus, type Rsb } from './resource.js';
import { sendFailure, sendLookupReply, sendRepeatRemove, sendReply } from './send.js';
import { addTimeout } from './timeouts.js';
import { ensureBuffer, receiveLvb } from './value-block.js';
import { removeFromWaiters } from './waiters.js';

// What other nodes' messages do here. Source: Linux fs/dlm/lock.c; the functions keep their names.

/** Carries a message out. Gives the reason if it does not fit what is known here. */
export function receiveMessage(ls: Lockspace, from: number, m: Message): RejectReason | undefined {
  if (!ls.isMember(from)) return 'non-member';
  switch (m.type) {
    case MessageType.REQUEST:
      return receiveRequest(ls, from, m);
    case MessageType.CONVERT:
    case MessageType.UNLOCK:
    case MessageType.CANCEL:
      return receiveAtMasterCopy(ls, from, m);
    case MessageType.LOOKUP:
      return ls.isNodir ? 'unexpected' : receiveLookup(ls, from, m);
    case MessageType.REMOVE:
      return receiveRemove(ls, from, nameOf(m, ls.host.incomingName)) ? undefined : 'unexpected';
    case MessageType.LOOKUP_REPLY:
      return receiveLookupReply(ls, m);
    case MessageType.PURGE:
      purgeOrphans(ls, m.pid);
      return undefined;
  }
  return receiveAtProcessCopy(ls, from, m);
}

/** Flags of the owner replace ours; only the low half of `flags` is shared (`receive_flags`). */
function receiveFlags(lkb: Lkb, m: Message): void {
  lkb.exflags = m.exflags;
  lkb.sbflags = m.sbflags;
  lkb.flags = (lkb.flags & ~0xffff) | (m.flags & 0xffff);
}

function receiveRequest(ls: Lockspace, from: number, m: Message): undefined {
  const name = nameOf(m, ls.host.incomingName);
  const r = findRsbRequested(ls, name, from);
  if (typeof r === 'number') {
    if (r === Result.EBADR) sendRepeatRemove(ls, name.toString());
    sendFailure(ls, from, m.lkid, MessageType.REQUEST_REPLY, r);
    return;
  }
  const lkb = ls.createLkb(r, -1);
  receiveFlags(lkb, m);
  lkb.flags |= LkbFlag.MSTCPY;
  lkb.nodeid = from;
  lkb.remid = m.lkid;
  lkb.rqmode = m.rqmode;
  lkb.hasBast = (m.asts & Asts.BAST) !== 0;
  ensureBuffer(ls, lkb);
  const result = doRequest(ls, r, lkb);
  sendReply(ls, r, lkb, MessageType.REQUEST_REPLY, result);
  doRequestEffects(ls, r, lkb, result);
  if (result === Status.EAGAIN) ls.releaseLkb(lkb);
}

/** CONVERT, UNLOCK or CANCEL by the owner of a lock that we have the master's twin of. */
function receiveAtMasterCopy(ls: Lockspace, from: number, m: Message): undefined {
  const lkb = ls.lkbs.get(m.remid);
  // Differs from Linux, which leaves the owner waiting if the twin's id has been given to a lock of another node.
  if (lkb === undefined || lkb.remid !== m.lkid || !lkb.isMasterCopy || lkb.nodeid !== from) {
    sendFailure(ls, from, m.lkid, m.type + REPLY, Result.ENOENT);
    return;
  }
  const r = lkb.resource;
  const demoted = lkb.status === LockStatus.convert ? lkb.sbflags & StatusFlag.DEMOTED : 0;
  receiveFlags(lkb, m);
  switch (m.type) {
    case MessageType.CONVERT:
      return receiveConvert(ls, r, lkb, m);
    case MessageType.UNLOCK:
      receiveLvb(ls, lkb, m);
      doUnlock(ls, r, lkb);
      sendReply(ls, r, lkb, MessageType.UNLOCK_REPLY, Status.EUNLOCK);
      return grantPending(ls, r);
  }
  // Its owner may have canceled before it heard that the lock was demoted.
  if (!ls.host.isStrict) lkb.sbflags |= demoted;
  const result = doCancel(ls, r, lkb);
  sendReply(ls, r, lkb, MessageType.CANCEL_REPLY, result);
  return result === 0 ? undefined : grantPending(ls, r);
}

/** A message's type and its reply's are this far apart. */
const REPLY = MessageType.REQUEST_REPLY - MessageType.REQUEST;

function grantPending(ls: Lockspace, r: Rsb): undefined {
  grantPendingLocks(ls, r);
}

function receiveConvert(ls: Lockspace, r: Rsb, lkb: Lkb, m: Message): undefined {
  if (lkb.status !== LockStatus.granted) {
    sendReply(ls, r, lkb, MessageType.CONVERT_REPLY, Result.EBUSY);
    return;
  }
  receiveLvb(ls, lkb, m);
  lkb.rqmode = m.rqmode;
  lkb.lvbseq = m.lvbseq;
  const isAnswered = !isDownConversion(lkb.grmode, lkb.rqmode);
  const result = doConvert(ls, r, lkb);
  if (isAnswered) sendReply(ls, r, lkb, MessageType.CONVERT_REPLY, result);
  doConvertEffects(ls, r, lkb, result);
}

/** The directory node that is the master itself takes a LOOKUP for the REQUEST that would follow. */
function receiveLookup(ls: Lockspace, from: number, m: Message): undefined {
  const master = masterLookup(ls, from, nameOf(m, ls.host.incomingName), 'request');
  if (master === ls.nodeid) return receiveRequest(ls, from, m);
  sendLookupReply(ls, from, m.lkid, master, master < 0 ? Result.EINVAL : 0);
}

/** A reply, a grant or a blocking AST for a lock of this node. */
function receiveAtProcessCopy(ls: Lockspace, from: number, m: Message): RejectReason | undefined {
  const lkb = ls.lkbs.get(m.remid);
  if (lkb === undefined || !lkb.isProcessCopy) return 'unknown-lock';
  const isFirstReply = m.type === MessageType.REQUEST_REPLY && lkb.nodeid === -1;
  if (lkb.nodeid !== from && !isFirstReply) return 'unknown-lock';
  const isExpected = dispatchToProcessCopy(ls, lkb.resource, lkb, from, m);
  ls.freeIfDone(lkb);
  return isExpected ? undefined : 'unexpected';
}

function dispatchToProcessCopy(ls: Lockspace, r: Rsb, lkb: Lkb, from: number, m: Message): boolean {
  const result = 0 - m.result;
  switch (m.type) {
    case MessageType.REQUEST_REPLY:
      return receiveRequestReply(ls, r, lkb, from, m);
    case MessageType.CONVERT_REPLY:
      if (!removeFromWaiters(ls, lkb, m.type, result === 0)) return false;
      return receiveConvertResult(ls, r, lkb, result, m);
    case MessageType.UNLOCK_REPLY:
      if (!removeFromWaiters(ls, lkb, m.type)) return false;
      return receiveUnlockResult(ls, r, lkb, result, m);
    case MessageType.CANCEL_REPLY:
      // A grant that overtook the cancel has settled it.
      if (!removeFromWaiters(ls, lkb, m.type)) return true;
      return receiveCancelResult(ls, r, lkb, result, m);
    case MessageType.GRANT:
      return receiveGrant(ls, r, lkb, m);
  }
  queueLocalBast(ls, lkb, m.bastmode);
  lkb.highbast = m.bastmode;
  return true;
}

function receiveGrant(ls: Lockspace, r: Rsb, lkb: Lkb, m: Message): boolean {
  if (lkb.rqmode === Mode.IV || lkb.status === LockStatus.none) return false;
  receiveFlagsReply(ls, lkb, m);
  // Differs from Linux, whose owner takes what was demoted in the queue for PR to CW, say, and does not read the value block.
  if (!ls.host.isStrict) mungeDemoted(lkb);
  mungeAltmode(ls, lkb, m, false);
  grantLockPc(ls, r, lkb, m);
  queueCast(ls, lkb, Status.granted);
  return true;
}

function receiveRequestReply(ls: Lockspace, r: Rsb, lkb: Lkb, from: number, m: Message): boolean {
  const wasLookup = lkb.waitType === MessageType.LOOKUP;
  if (!removeFromWaiters(ls, lkb, m.type)) return false;
  if (wasLookup) {
    // The directory node is the master.
    ls.setMaster(r, from);
    lkb.nodeid = from;
  }
  const result = 0 - m.result;
  switch (result) {
    case Status.EAGAIN:
      endRequest(ls, r, lkb);
      break;
    case Result.EINPROGRESS:
    case Status.granted:
      acceptRequestReply(ls, r, lkb, m, result);
      break;
    case Result.EBADR:
    case Result.ENOTBLK:
      retryRequest(ls, r, lkb, result);
      break;
    default:
      return false;
  }
  settleOverlap(ls, r, lkb, result);
  return true;
}

function endRequest(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  queueCast(ls, lkb, Status.EAGAIN);
  confirmMaster(ls, r, Status.EAGAIN);
  ls.releaseLkb(lkb);
}

function acceptRequestReply(ls: Lockspace, r: Rsb, lkb: Lkb, m: Message, result: number): void {
  receiveFlagsReply(ls, lkb, m);
  lkb.remid = m.lkid;
  mungeAltmode(ls, lkb, m, false);
  if (result === Result.EINPROGRESS) {
    r.add(lkb, LockStatus.waiting);
    addTimeout(ls, lkb);
  } else {
    grantLockPc(ls, r, lkb, m);
    queueCast(ls, lkb, Status.granted);
  }
  confirmMaster(ls, r, result);
}

/** Whom we took for the master is it not: forget that and start over. */
function retryRequest(ls: Lockspace, r: Rsb, lkb: Lkb, result: number): void {
  if (r.dirNodeid !== ls.nodeid && !ls.isMaster(r) && !ls.isNodir) {
    ls.setMaster(r, 0);
    lkb.nodeid = -1;
  }
  if (lkb.isOverlap) return completeOverlap(ls, r, lkb, result);
  requestAtMaster(ls, r, lkb);
  if (ls.isMaster(r)) confirmMaster(ls, r, 0);
}

/** A cancel or force-unlock that came before the reply is carried out now, if there is still something to end. */
function settleOverlap(ls: Lockspace, r: Rsb, lkb: Lkb, result: number): void {
  const isUnlock = lkb.has(LkbFlag.OVERLAP_UNLOCK);
  const isCancel = lkb.has(LkbFlag.OVERLAP_CANCEL);
  lkb.flags &= ~(LkbFlag.OVERLAP_UNLOCK | LkbFlag.OVERLAP_CANCEL);
  if (isUnlock && (result === 0 || result === Result.EINPROGRESS)) unlockAtMaster(ls, r, lkb);
  else if (isCancel && result === Result.EINPROGRESS) cancelAtMaster(ls, r, lkb);
}

function receiveLookupReply(ls: Lockspace, m: Message): RejectReason | undefined {
  const lkb = ls.lkbs.get(m.lkid);
  if (lkb === undefined || lkb.isMasterCopy) return 'unknown-lock';
  if (lkb.waitType !== MessageType.LOOKUP || !removeFromWaiters(ls, lkb, m.type)) return 'unexpected';
  const r = lkb.resource;
  if (ls.isMember(m.nodeid)) ls.setMaster(r, m.nodeid);
  else {
    // It does not take itself for the directory node.
    ls.setMaster(r, 0);
    lkb.nodeid = -1;
  }
  if (ls.isMaster(r)) r.firstLkid = 0;
  if (lkb.isOverlap) completeOverlap(ls, r, lkb, Result.ENOTBLK);
  else requestAtMaster(ls, r, lkb);
  if (ls.isMaster(r)) processLookupList(ls, r);
  ls.freeIfDone(lkb);
  return undefined;
}
