import { queueCast, queueLocalBast } from './callbacks.js';
import type { HeldBy } from './facts.js';
import { canBeGranted, canDemotedBeGranted, requiresBastFor, requiresBastForBlocked } from './grant.js';
import type { LinkedQueue } from './linked-queue.js';
import { LockFlag, Result, Status, StatusFlag } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import { Mode } from './mode.js';
import { tellBast, tellCarriedOut, tellHeld, tellQueued, tellUnqueued } from './queue-facts.js';
import { type Lkb, LockStatus, type Rsb, RsbFlag } from './resource.js';
import { sendBast, sendGrant } from './send.js';
import { addTimeout } from './timeouts.js';
import { setLvbLock, setLvbUnlock } from './value-block.js';

// What the master of a resource does with its queues. Source: Linux fs/dlm/lock.c; the functions keep their names.

/** The requested mode becomes the granted one. */
export function grantLockOnly(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  // Differs from Linux, which leaves a queued conversion to the mode that it has (by ALTPR or ALTCW) on its queue, and grants it once
  // more: no mode.
  if (lkb.grmode !== lkb.rqmode || (lkb.status === LockStatus.convert && !ls.host.isStrict)) {
    lkb.grmode = lkb.rqmode;
    r.move(lkb, LockStatus.granted);
  }
  lkb.rqmode = Mode.IV;
  lkb.highbast = 0;
}

function grantLock(ls: Lockspace, r: Rsb, lkb: Lkb, by: HeldBy): void {
  setLvbLock(ls, r, lkb);
  grantLockOnly(ls, r, lkb);
  tellHeld(ls, r, lkb, by);
}

/** Grants a lock that waited, and tells its owner. */
function grantLockPending(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  tellUnqueued(ls, r, lkb, true);
  grantLock(ls, r, lkb, 'queue');
  if (lkb.isMasterCopy) sendGrant(ls, r, lkb);
  else queueCast(ls, lkb, Status.granted);
}

function queueBast(ls: Lockspace, r: Rsb, lkb: Lkb, mode: number): void {
  tellBast(ls, r, lkb, mode);
  if (lkb.isMasterCopy) sendBast(ls, r, lkb, mode);
  else queueLocalBast(ls, lkb, mode);
}

/** Takes a lock off its queue for good. */
export function removeLockOnly(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  tellUnqueued(ls, r, lkb, false);
  if (lkb.grmode !== Mode.IV) tellHeld(ls, r, lkb, 'unlock', Mode.IV);
  r.del(lkb);
  lkb.grmode = Mode.IV;
  ls.releaseLkb(lkb);
}

/**
 * Takes the pending operation back: a conversion stays as it was, a request goes. Gives whether there was one.
 *
 * The same for an owner's process copy (`revert_lock_pc`).
 */
export function revertLock(ls: Lockspace, r: Rsb, lkb: Lkb): boolean {
  lkb.rqmode = Mode.IV;
  switch (lkb.status) {
    case LockStatus.convert:
      tellUnqueued(ls, r, lkb, false);
      r.move(lkb, LockStatus.granted);
      return true;
    case LockStatus.waiting:
      removeLockOnly(ls, r, lkb);
      return true;
  }
  return false;
}

/** Gives 0, EINPROGRESS or EAGAIN. */
export function doRequest(ls: Lockspace, r: Rsb, lkb: Lkb): number {
  tellCarriedOut(ls, r, lkb, 'request');
  if (canBeGranted(r, lkb, true, false) === 'granted') {
    grantLock(ls, r, lkb, 'request');
    queueCast(ls, lkb, Status.granted);
    return 0;
  }
  if ((lkb.exflags & LockFlag.NOQUEUE) === 0) {
    r.add(lkb, LockStatus.waiting);
    addTimeout(ls, lkb);
    tellQueued(ls, r, lkb);
    return Result.EINPROGRESS;
  }
  queueCast(ls, lkb, Status.EAGAIN);
  return Status.EAGAIN;
}

export function doRequestEffects(ls: Lockspace, r: Rsb, lkb: Lkb, result: number): void {
  if (result === Status.EAGAIN) sendBlockingAstsOfNoqueue(ls, r, lkb);
  else if (result === Result.EINPROGRESS) sendBlockingAsts(ls, r, r.grantqueue, lkb);
}

/** Gives 0, EINPROGRESS, EAGAIN or EDEADLK. */
export function doConvert(ls: Lockspace, r: Rsb, lkb: Lkb): number {
  tellCarriedOut(ls, r, lkb, 'convert');
  const verdict = canBeGranted(r, lkb, true, false);
  if (verdict === 'granted') return convertNow(ls, r, lkb);
  if (verdict === 'deadlock' && (lkb.exflags & LockFlag.NODLCKWT) === 0) {
    revertLock(ls, r, lkb);
    queueCast(ls, lkb, Status.EDEADLK);
    return Status.EDEADLK;
  }
  if ((lkb.sbflags & StatusFlag.DEMOTED) !== 0) {
    tellHeld(ls, r, lkb, 'demotion');
    // With its mode out of the way others may go first, and then perhaps this one as well.
    grantPendingConvert(ls, r, { high: Mode.IV, cw: false, count: 0 });
    if (canDemotedBeGranted(r, lkb)) return convertNow(ls, r, lkb);
  }
  if ((lkb.exflags & LockFlag.NOQUEUE) === 0) {
    r.move(lkb, LockStatus.convert);
    addTimeout(ls, lkb);
    tellQueued(ls, r, lkb);
    return Result.EINPROGRESS;
  }
  queueCast(ls, lkb, Status.EAGAIN);
  return Status.EAGAIN;
}

function convertNow(ls: Lockspace, r: Rsb, lkb: Lkb): number {
  grantLock(ls, r, lkb, 'conversion');
  queueCast(ls, lkb, Status.granted);
  return 0;
}

export function doConvertEffects(ls: Lockspace, r: Rsb, lkb: Lkb, result: number): void {
  switch (result) {
    case 0:
      grantPendingLocks(ls, r);
      break;
    case Status.EAGAIN:
      sendBlockingAstsOfNoqueue(ls, r, lkb);
      break;
    case Result.EINPROGRESS:
      sendBlockingAsts(ls, r, r.grantqueue, lkb);
      // Differs from Linux, where a lock that the demotion let pass does not hear of what waits for it.
      if ((lkb.sbflags & StatusFlag.DEMOTED) !== 0 && !ls.host.isStrict) grantPendingLocks(ls, r);
      break;
  }
}

/** Its effects are `grantPendingLocks`. */
export function doUnlock(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  tellCarriedOut(ls, r, lkb, 'unlock');
  setLvbUnlock(ls, r, lkb);
  removeLockOnly(ls, r, lkb);
  queueCast(ls, lkb, Status.EUNLOCK);
}

/** Gives ECANCEL, whose effects are `grantPendingLocks`, or 0 if there was nothing to cancel. */
export function doCancel(ls: Lockspace, r: Rsb, lkb: Lkb): number {
  tellCarriedOut(ls, r, lkb, 'cancel');
  if (!revertLock(ls, r, lkb)) return 0;
  queueCast(ls, lkb, Status.ECANCEL);
  return Status.ECANCEL;
}

/** What stays blocked on the queues. */
interface Blocked {
  /** Highest mode asked for. */
  high: number;
  /** CW is asked for. */
  cw: boolean;
  /** Locks granted. */
  count: number;
}

/** Grants what has become grantable, then tells those who block the rest. Gives the number of locks granted. */
export function grantPendingLocks(ls: Lockspace, r: Rsb): number {
  const blocked: Blocked = { high: Mode.IV, cw: false, count: 0 };
  if (!r.convertqueue.isEmpty) grantPendingConvert(ls, r, blocked);
  if (!r.waitqueue.isEmpty) grantPendingWait(ls, r, blocked);
  const { high, cw, count } = blocked;
  if (high === Mode.IV) return count;
  for (const lkb of r.grantqueue) {
    if (!lkb.hasBast || !requiresBastForBlocked(lkb, high, cw)) continue;
    queueBast(ls, r, lkb, cw && high === Mode.PR && lkb.grmode === Mode.PR ? Mode.CW : high);
    lkb.highbast = high;
  }
  return count;
}

function grantPendingConvert(ls: Lockspace, r: Rsb, blocked: Blocked): void {
  const recover = r.has(RsbFlag.RECOVER_GRANT);
  let hasDemotedOnce = false;
  for (;;) {
    const pass = convertPass(ls, r, recover);
    blocked.count += pass.count;
    blocked.cw ||= pass.cw;
    if (pass.count > 0) continue;
    if (pass.isDemoted && !hasDemotedOnce) {
      hasDemotedOnce = true;
      continue;
    }
    blocked.high = Math.max(blocked.high, pass.high);
    return;
  }
}

function convertPass(ls: Lockspace, r: Rsb, recover: boolean): Blocked & { isDemoted: boolean } {
  const pass = { high: Mode.IV as number, cw: false, count: 0, isDemoted: false };
  for (const lkb of r.convertqueue) {
    switch (canBeGranted(r, lkb, false, recover)) {
      case 'granted':
        grantLockPending(ls, r, lkb);
        pass.count += 1;
        break;
      case 'demoted':
        tellHeld(ls, r, lkb, 'demotion');
        pass.isDemoted = true;
        break;
      case 'deadlock':
        pendingDeadlock(ls, r, lkb);
        break;
      case 'blocked':
        pass.high = Math.max(pass.high, lkb.rqmode);
        if (lkb.rqmode === Mode.CW) pass.cw = true;
        break;
    }
  }
  return pass;
}

/** Who asked not to fail for a deadlock is asked to give way. */
function pendingDeadlock(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  if ((lkb.exflags & LockFlag.NODLCKWT) === 0) {
    return ls.log('err', `WARN: pending deadlock ${lkb.lkid.toString(16)} node ${lkb.nodeid} ${r.name}`);
  }
  if (lkb.highbast >= lkb.rqmode) return;
  queueBast(ls, r, lkb, lkb.rqmode);
  lkb.highbast = lkb.rqmode;
}

function grantPendingWait(ls: Lockspace, r: Rsb, blocked: Blocked): void {
  for (const lkb of r.waitqueue) {
    if (canBeGranted(r, lkb, false, false) === 'granted') {
      grantLockPending(ls, r, lkb);
      blocked.count += 1;
    } else {
      blocked.high = Math.max(blocked.high, lkb.rqmode);
      if (lkb.rqmode === Mode.CW) blocked.cw = true;
    }
  }
}

function sendBlockingAsts(ls: Lockspace, r: Rsb, queue: LinkedQueue<Lkb>, lkb: Lkb): void {
  for (const granted of queue) {
    if (granted === lkb || !granted.hasBast || !requiresBastFor(granted, lkb.rqmode)) continue;
    queueBast(ls, r, granted, lkb.rqmode);
    granted.highbast = lkb.rqmode;
  }
}

/** NOQUEUE failed: those in the way hear of it only if the caller wanted that. */
function sendBlockingAstsOfNoqueue(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  if ((lkb.exflags & LockFlag.NOQUEUEBAST) === 0) return;
  sendBlockingAsts(ls, r, r.grantqueue, lkb);
  sendBlockingAsts(ls, r, r.convertqueue, lkb);
}
