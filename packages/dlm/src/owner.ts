import { assert, type Errno } from '@quorate/kernel';
import { queueCast, queueCastOverlap } from './callbacks.js';
import { findRsbLocal } from './directory.js';
import type { LockInput, UnlockInput } from './dlm-io.js';
import { LockFlag, Result, Status, StatusFlag } from './lock-flags.js';
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
import { MessageType } from './message.js';
import { isDownConversion, isMiddleConversion, Mode, modeName } from './mode.js';
import { receiveConvertResult } from './process-copy.js';
import { type Lkb, LkbFlag, LockStatus, type Rsb, RsbFlag } from './resource.js';
import { sendCommon, sendLookup } from './send.js';
import { convertDefect, isResourceName, lockCallDefect, unlockCallDefect, unlockVerdict } from './validate.js';
import { ensureBuffer } from './value-block.js';
import { removeFromWaiters } from './waiters.js';

// What owners on this node ask for. Source: Linux fs/dlm/lock.c; the functions keep their names where C has them.

/**
 * A call of the lock API. Gives the errno if it is refused; otherwise a completion follows, or has followed.
 *
 * @throws {RangeError} when the handle of a new lock is in use, or `lvb` has another length than the lockspace's.
 */
export function dlmLock(ls: Lockspace, call: LockInput): Errno | undefined {
  return (call.flags & LockFlag.CONVERT) !== 0 ? convertLock(ls, call) : requestLock(ls, call);
}

function requestLock(ls: Lockspace, call: LockInput): Errno | undefined {
  const { handle, name, mode, flags, lvb } = call;
  if ((flags & LockFlag.ORPHAN) !== 0) return adoptOrphan(ls, call);
  const defect = lockCallDefect(mode, flags, ls.lvbLength);
  if (defect !== undefined) return defect;
  if (ls.handles.get(handle) !== undefined) throw new RangeError(`handle ${handle} of lockspace ${ls.name} is in use`);
  if (!ls.rsbs.has(name) && !isResourceName(name)) return 'EINVAL';
  const r = findRsbLocal(ls, name);
  const lkb = ls.createLkb(r, handle);
  lkb.nodeid = -1;
  lkb.process = call.process ?? 0;
  lkb.hasBast = call.hasBast !== false;
  setArgs(ls, lkb, call);
  if (lvb !== undefined) fillBuffer(ls, lkb, lvb);
  tellCalled(ls, lkb, 'request');
  requestAtMaster(ls, r, lkb);
  return undefined;
}

function setArgs(ls: Lockspace, lkb: Lkb, { mode, flags, wantsBast, timeout, xid }: LockInput): void {
  lkb.exflags = flags;
  lkb.sbflags = 0;
  lkb.timeout = timeout ?? 0;
  lkb.xid = xid ?? 0;
  lkb.rqmode = mode;
  lkb.wantsBast = wantsBast !== false;
  ensureBuffer(ls, lkb);
}

function fillBuffer(ls: Lockspace, lkb: Lkb, lvb: Uint8Array): void {
  if (lvb.length !== ls.lvbLength) {
    throw new RangeError(`a value block of ${lvb.length} bytes in a lockspace where it has ${ls.lvbLength}`);
  }
  lkb.lvb?.set(lvb);
}

/** Sends or carries out a request, as soon as the master is known (`_request_lock`). */
export function requestAtMaster(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  if (!setMaster(ls, r, lkb)) return;
  if (lkb.nodeid !== 0) {
    const error = sendCommon(ls, r, lkb, MessageType.REQUEST);
    assert(error === 0, `lock ${lkb.lkid} requests ${r.name} while another operation is in flight`);
    return;
  }
  const result = doRequest(ls, r, lkb);
  if (result === Status.EAGAIN) ls.releaseLkb(lkb);
  doRequestEffects(ls, r, lkb, result);
}

/** Finds out where the request has to go. False: not known yet; a lookup goes on with it (`set_master`). */
function setMaster(ls: Lockspace, r: Rsb, lkb: Lkb): boolean {
  if (r.has(RsbFlag.MASTER_UNCERTAIN)) {
    r.flags &= ~RsbFlag.MASTER_UNCERTAIN;
    r.firstLkid = lkb.lkid;
    lkb.nodeid = r.masterNodeid;
    return true;
  }
  if (r.firstLkid !== 0 && r.firstLkid !== lkb.lkid) {
    r.addLookup(lkb);
    return false;
  }
  if (r.masterNodeid === 0 && r.dirNodeid === ls.nodeid) ls.setMaster(r, ls.nodeid);
  if (r.masterNodeid !== 0) {
    lkb.nodeid = ls.isMaster(r) ? 0 : r.masterNodeid;
    return true;
  }
  r.firstLkid = lkb.lkid;
  sendLookup(ls, r, lkb);
  return false;
}

/** The master is known: those that waited for that go on (`process_lookup_list`). */
export function processLookupList(ls: Lockspace, r: Rsb): void {
  if (r.lookup.isEmpty) return;
  for (const lkb of [...r.lookup]) {
    r.lookup.remove(lkb);
    requestAtMaster(ls, r, lkb);
  }
}

/** What a request's outcome says about its master (`confirm_master`). */
export function confirmMaster(ls: Lockspace, r: Rsb, result: number): void {
  if (r.firstLkid === 0) return;
  r.firstLkid = 0;
  if (result === 0 || result === Result.EINPROGRESS) return processLookupList(ls, r);
  // That request is not repeated: another one has to find the master.
  const lkb = r.lookup.first;
  if (lkb === undefined) return;
  r.lookup.remove(lkb);
  r.firstLkid = lkb.lkid;
  requestAtMaster(ls, r, lkb);
  // Linux leaves the others waiting for a reply that this node, if it is the master, does not send to itself.
  if (ls.isMaster(r)) confirmMaster(ls, r, 0);
}

function convertLock(ls: Lockspace, call: LockInput): Errno | undefined {
  const { mode, flags, lvb } = call;
  const lkb = ls.handles.get(call.handle);
  if (lkb === undefined) return 'ENOENT';
  const defect = lockCallDefect(mode, flags, ls.lvbLength) ?? convertDefect(lkb, mode, flags);
  if (defect === undefined) {
    setArgs(ls, lkb, call);
    if (lkb.isLvbOffered) lkb.lvb ??= new Uint8Array(ls.lvbLength);
  } else if (ls.host.isStrict) keepRefused(lkb, call);
  // A conversion brings its bytes also when it is refused, but no buffer.
  if (lvb !== undefined) fillBuffer(ls, lkb, lvb);
  if (defect !== undefined) return defect;
  tellCalled(ls, lkb, 'convert');
  convertAtMaster(ls, lkb.resource, lkb);
  return undefined;
}

/**
 * What Linux's device takes over from a conversion that is then refused: the functions, and a buffer that the next
 * conversion gives the lock (`dlm_user_convert`).
 */
function keepRefused(lkb: Lkb, { flags, wantsBast }: LockInput): void {
  lkb.wantsBast = wantsBast !== false;
  if ((flags & LockFlag.VALBLK) !== 0) lkb.isLvbOffered = true;
}

/** Sends or carries out a conversion (`_convert_lock`). */
export function convertAtMaster(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  if (ls.host.observe !== undefined) tellConverting(ls, r, lkb);
  if (!ls.isMaster(r)) return sendConvert(ls, r, lkb);
  const result = doConvert(ls, r, lkb);
  doConvertEffects(ls, r, lkb, result);
}

/** The master does not answer a down-conversion: it is granted before it gets there. */
function sendConvert(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  const error = sendCommon(ls, r, lkb, MessageType.CONVERT);
  assert(error === 0, `lock ${lkb.lkid} converts while another operation is in flight`);
  if (!isDownConversion(lkb.grmode, lkb.rqmode)) return;
  removeFromWaiters(ls, lkb, MessageType.CONVERT_REPLY);
  receiveConvertResult(ls, r, lkb, Status.granted);
}

function tellConverting(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  const { grmode, rqmode, exflags } = lkb;
  const isMiddle = isMiddleConversion(grmode, rqmode);
  let keeps = Math.min(grmode, rqmode);
  if ((isMiddle || rqmode > grmode) && (exflags & LockFlag.CONVDEADLK) !== 0) keeps = Mode.NL;
  // Neither mode is sure until the master says which: what both allow others is what the weakest mode allows.
  else if (isMiddle) keeps = Mode.CR;
  // It may be granted less than it has.
  else if ((exflags & (LockFlag.ALTPR | LockFlag.ALTCW)) !== 0) keeps = Math.min(keeps, Mode.CR);
  ls.host.observe?.({
    kind: 'dlm.converting',
    now: ls.host.now,
    lockspace: ls.name,
    resource: r.name,
    lkid: lkb.lkid,
    from: modeName(grmode),
    to: modeName(rqmode),
    keeps: modeName(keeps),
  });
}

/** A call of the unlock API: unlock, forced unlock, or cancel. Gives the errno if it is refused. */
export function dlmUnlock(ls: Lockspace, call: UnlockInput): Errno | undefined {
  const { handle, flags, lvb } = call;
  const lkb = ls.handles.get(handle);
  if (lkb === undefined) return 'ENOENT';
  const isCancel = (flags & LockFlag.CANCEL) !== 0;
  if (lvb !== undefined && !isCancel) fillBuffer(ls, lkb, lvb);
  const defect = unlockCallDefect(flags);
  if (defect !== undefined) return defect;
  const verdict = unlockVerdict(lkb, flags);
  if (verdict === 'EBUSY' || verdict === 'EINVAL') return verdict;
  tellCalled(ls, lkb, isCancel ? 'cancel' : 'unlock');
  if (verdict === 'settled') return undefined;
  if (verdict === 'complete-here') return completeHere(ls, lkb, isCancel ? Status.ECANCEL : Status.EUNLOCK);
  // Flags are added to those of the operation that it ends.
  lkb.exflags |= flags;
  // Differs from Linux, where a conversion that a cancel or unlock comes across does not say that it was demoted while it was queued.
  const isPending =
    !ls.host.isStrict && (isCancel || (lkb.status === LockStatus.convert && !ls.isMaster(lkb.resource)));
  lkb.sbflags = isPending ? lkb.sbflags & StatusFlag.DEMOTED : 0;
  if (isCancel && call.isDeadlock === true) lkb.flags |= LkbFlag.DEADLOCK_CANCEL;
  return isCancel ? cancelAtMaster(ls, lkb.resource, lkb) : unlockAtMaster(ls, lkb.resource, lkb);
}

/** Takes over a lock that its process left behind (`dlm_user_adopt_orphan`). No completion follows: it is granted. */
function adoptOrphan(
  ls: Lockspace,
  { handle, name, mode, flags, wantsBast, process = 0 }: LockInput,
): Errno | undefined {
  let isThere = false;
  for (const lkb of ls.orphans) {
    if (lkb.resource.name !== name) continue;
    isThere = true;
    if (lkb.grmode !== mode) continue;
    if (ls.handles.get(handle) !== undefined)
      throw new RangeError(`handle ${handle} of lockspace ${ls.name} is in use`);
    ls.orphans.delete(lkb);
    lkb.flags &= ~LkbFlag.ORPHAN;
    lkb.exflags = flags;
    lkb.wantsBast = wantsBast !== false;
    lkb.process = process;
    ls.nameLkb(lkb, handle);
    tellLock(ls, lkb, 'dlm.adopted');
    return undefined;
  }
  return isThere ? 'EAGAIN' : 'ENOENT';
}

/** It waits for the lookup of another lock, so no other node has heard of it. */
export function completeHere(ls: Lockspace, lkb: Lkb, status: number): undefined {
  lkb.queue?.remove(lkb);
  queueCast(ls, lkb, status);
  ls.releaseLkb(lkb);
}

/** `_unlock_lock`. */
export function unlockAtMaster(ls: Lockspace, r: Rsb, lkb: Lkb): Errno | undefined {
  if (!ls.isMaster(r)) {
    const error = sendCommon(ls, r, lkb, MessageType.UNLOCK);
    if (error === 0) tellLock(ls, lkb, 'dlm.unlocked');
    return errnoOf(error);
  }
  tellLock(ls, lkb, 'dlm.unlocked');
  doUnlock(ls, r, lkb);
  grantPendingLocks(ls, r);
  return undefined;
}

/** Tells that an operation on a lock has begun: each ends with a completion. */
export function tellCalled(ls: Lockspace, lkb: Lkb, call: 'request' | 'convert' | 'unlock' | 'cancel'): void {
  const { host, name: lockspace } = ls;
  const { lkid, resource } = lkb;
  host.observe?.({ kind: 'dlm.called', now: host.now, lockspace, resource: resource.name, lkid, call });
}

/** Tells what becomes of a lock of this node. */
export function tellLock(ls: Lockspace, lkb: Lkb, kind: 'dlm.unlocked' | 'dlm.orphaned' | 'dlm.adopted'): void {
  const { host, name: lockspace } = ls;
  const { lkid, resource } = lkb;
  host.observe?.({ kind, now: host.now, lockspace, resource: resource.name, lkid });
}

/** `_cancel_lock`. */
export function cancelAtMaster(ls: Lockspace, r: Rsb, lkb: Lkb): Errno | undefined {
  if (!ls.isMaster(r)) return errnoOf(sendCommon(ls, r, lkb, MessageType.CANCEL));
  if (doCancel(ls, r, lkb) !== 0) grantPendingLocks(ls, r);
  return undefined;
}

/** A cancel or forced unlock that finds the lock busy counts as accepted; a plain unlock was refused before. */
function errnoOf(error: number): Errno | undefined {
  return error === Result.EINVAL ? 'EINVAL' : undefined;
}

/** Ends a request that a cancel or force-unlock overtook before a master had it. */
export function completeOverlap(ls: Lockspace, r: Rsb, lkb: Lkb, result: number): void {
  queueCastOverlap(ls, lkb);
  confirmMaster(ls, r, result);
  ls.releaseLkb(lkb);
}
