import type { PurgeInput } from './dlm-io.js';
import { LockFlag, Status, StatusFlag } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import { cancelAtMaster, completeHere, tellCalled, tellLock, unlockAtMaster } from './owner.js';
import { type Lkb, LkbFlag } from './resource.js';
import { sendPurge } from './send.js';
import { unlockVerdict } from './validate.js';

// What becomes of the locks of processes that are gone. Source: Linux fs/dlm/lock.c; the functions keep their names.

/** A process closed its handle of the lockspace: each of its locks is unlocked, or becomes an orphan. */
export function clearProcLocks(ls: Lockspace, process: number): void {
  ls.leavingProcess = process;
  for (const lkb of locksOf(ls, process)) {
    if ((lkb.exflags & LockFlag.PERSISTENT) !== 0) orphanProcLock(ls, lkb);
    else unlockProcLock(ls, lkb);
  }
  ls.leavingProcess = undefined;
}

/**
 * `dlm_user_purge`. A node that is no member has nothing to purge. Differs from Linux, which writes to it all the same: the
 * packet is counted here and refused there, and when the node becomes a member nothing gets through to it any more.
 */
export function purge(ls: Lockspace, { node, process, by = 0 }: PurgeInput): void {
  if (node !== 0 && node !== ls.nodeid) return ls.isMember(node) ? sendPurge(ls, node, process) : undefined;
  if (process === 0 || process !== by) return purgeOrphans(ls, process);
  for (const lkb of locksOf(ls, process)) unlockProcLock(ls, lkb);
}

/** Unlocks the orphans that a process of this node left behind; 0: all orphans (`do_purge`). */
export function purgeOrphans(ls: Lockspace, process: number): void {
  for (const lkb of [...ls.orphans]) if (process === 0 || lkb.process === process) unlockProcLock(ls, lkb);
}

/** By the order in which they were made. */
function locksOf(ls: Lockspace, process: number): readonly Lkb[] {
  const locks = [...ls.handles.values()].filter((lkb) => lkb.process === process);
  return locks.sort((a, b) => a.order - b.order);
}

/** It keeps its granted mode; a request or conversion that waits is canceled. */
function orphanProcLock(ls: Lockspace, lkb: Lkb): void {
  ls.handles.delete(lkb.handle);
  ls.orphans.add(lkb);
  lkb.flags |= LkbFlag.ORPHAN;
  tellLock(ls, lkb, 'dlm.orphaned');
  // Not validated as a cancel: with an operation in flight nothing is canceled.
  if (unlockVerdict(lkb, 0) !== 'proceed') return;
  // Differs from Linux, as for every cancel: a conversion that was demoted while it was queued does not forget that.
  lkb.sbflags = ls.host.isStrict ? 0 : lkb.sbflags & StatusFlag.DEMOTED;
  tellCalled(ls, lkb, 'cancel');
  cancelAtMaster(ls, lkb.resource, lkb);
}

/** With IVVALBLK: a holder that may have died while it wrote takes the value block with it. */
function unlockProcLock(ls: Lockspace, lkb: Lkb): void {
  ls.handles.delete(lkb.handle);
  ls.orphans.delete(lkb);
  lkb.flags |= LkbFlag.DEAD;
  const flags = LockFlag.FORCEUNLOCK | LockFlag.IVVALBLK;
  const verdict = unlockVerdict(lkb, flags);
  // One that is on its way out already has been told of.
  if (verdict === 'EBUSY' || verdict === 'EINVAL') return;
  tellAbandoned(ls, lkb);
  tellCalled(ls, lkb, 'unlock');
  if (verdict === 'complete-here') completeHere(ls, lkb, Status.EUNLOCK);
  // Differs from Linux, which forgets of an unlock that waits for a request's reply what it would do to the value block: what was
  // granted meanwhile in PW or EX, and never read, is written then.
  if (verdict === 'settled' && !ls.host.isStrict) lkb.exflags |= LockFlag.IVVALBLK;
  if (verdict !== 'proceed') return;
  lkb.exflags |= flags;
  lkb.sbflags = 0;
  unlockAtMaster(ls, lkb.resource, lkb);
}

function tellAbandoned(ls: Lockspace, lkb: Lkb): void {
  const { host, name: lockspace } = ls;
  const { lkid, process, resource } = lkb;
  host.observe?.({ kind: 'dlm.abandoned', now: host.now, lockspace, resource: resource.name, lkid, process });
}
