import { queueCast } from './callbacks.js';
import { LockFlag, Result, Status, StatusFlag } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import { grantLockOnly, removeLockOnly, revertLock } from './master.js';
import type { Message } from './message.js';
import { isMode, Mode } from './mode.js';
import { type Lkb, LockStatus, type Rsb } from './resource.js';
import { addTimeout } from './timeouts.js';
import { setLvbLockPc } from './value-block.js';

// What the master's answer does to the owner's process copy. Without a message the answer is our own: the master sends
// none, or is gone. Source: Linux fs/dlm/lock.c; the functions keep their names.

/**
 * Of flags only those are taken that travel (`receive_flags_reply`).
 *
 * Differs from Linux: a demotion that the owner has heard of is not forgotten when the next message comes from a master that has
 * not, which took the lock over meanwhile or whose flags a cancel has cleared. Nor does the master say whether the lock is an
 * orphan: what it knows of that is old when a process exits, or its lock is adopted, while the message is under way.
 */
export function receiveFlagsReply(ls: Lockspace, lkb: Lkb, m: Message | undefined): void {
  if (m === undefined) return;
  const demoted = ls.host.isStrict ? 0 : lkb.sbflags & StatusFlag.DEMOTED;
  lkb.sbflags = m.sbflags | demoted;
  if (ls.host.isStrict) lkb.flags = (lkb.flags & ~0xffff) | (m.flags & 0xffff);
}

export function grantLockPc(ls: Lockspace, r: Rsb, lkb: Lkb, m: Message | undefined): void {
  if (m !== undefined) setLvbLockPc(lkb, m);
  grantLockOnly(ls, r, lkb);
}

/** The master had to demote the lock to avoid a deadlock. */
export function mungeDemoted(lkb: Lkb): void {
  if ((lkb.sbflags & StatusFlag.DEMOTED) !== 0 && lkb.grmode !== Mode.IV) lkb.grmode = Mode.NL;
}

/**
 * The master granted the alternate mode. The original guesses which one from the flags, and does not look at replies to
 * conversions at all; the message says it.
 */
export function mungeAltmode(ls: Lockspace, lkb: Lkb, m: Message | undefined, isConvertReply: boolean): void {
  if ((lkb.sbflags & StatusFlag.ALTMODE) === 0 || m === undefined) return;
  if (!ls.host.isStrict) {
    if (isMode(m.grmode)) lkb.rqmode = m.grmode;
  } else if (!isConvertReply) {
    if ((lkb.exflags & LockFlag.ALTPR) !== 0) lkb.rqmode = Mode.PR;
    else if ((lkb.exflags & LockFlag.ALTCW) !== 0) lkb.rqmode = Mode.CW;
  }
}

/** False for a result that no conversion has (`__receive_convert_reply`). */
export function receiveConvertResult(ls: Lockspace, r: Rsb, lkb: Lkb, result: number, m?: Message): boolean {
  switch (result) {
    case Status.EAGAIN:
      queueCast(ls, lkb, Status.EAGAIN);
      return true;
    case Status.EDEADLK:
      receiveFlagsReply(ls, lkb, m);
      revertLock(ls, r, lkb);
      queueCast(ls, lkb, Status.EDEADLK);
      return true;
    case Result.EINPROGRESS:
      receiveFlagsReply(ls, lkb, m);
      mungeDemoted(lkb);
      r.move(lkb, LockStatus.convert);
      addTimeout(ls, lkb);
      return true;
    case Status.granted:
      receiveFlagsReply(ls, lkb, m);
      mungeDemoted(lkb);
      mungeAltmode(ls, lkb, m, true);
      grantLockPc(ls, r, lkb, m);
      queueCast(ls, lkb, Status.granted);
      return true;
  }
  return false;
}

/** ENOENT: it was gone already, and its completion came before. */
export function receiveUnlockResult(ls: Lockspace, r: Rsb, lkb: Lkb, result: number, m?: Message): boolean {
  if (result === Status.EUNLOCK) {
    receiveFlagsReply(ls, lkb, m);
    // What was kept for a grant that the unlock came across.
    if (!ls.host.isStrict) lkb.sbflags &= ~StatusFlag.DEMOTED;
    removeLockOnly(ls, r, lkb);
    queueCast(ls, lkb, Status.EUNLOCK);
    return true;
  }
  return result === Result.ENOENT;
}

/** 0: there was nothing to cancel, and the grant is on its way. */
export function receiveCancelResult(ls: Lockspace, r: Rsb, lkb: Lkb, result: number, m?: Message): boolean {
  if (result === Status.ECANCEL) {
    receiveFlagsReply(ls, lkb, m);
    // Differs from Linux, whose owner goes on to believe in a mode that the master took away while it was queued.
    if (!ls.host.isStrict && m !== undefined && isMode(m.grmode) && m.grmode < lkb.grmode) {
      lkb.grmode = m.grmode;
      lkb.sbflags |= StatusFlag.DEMOTED;
    }
    revertLock(ls, r, lkb);
    queueCast(ls, lkb, Status.ECANCEL);
    return true;
  }
  return result === 0;
}
