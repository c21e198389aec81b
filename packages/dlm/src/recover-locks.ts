import { findRsbNodir } from './directory.js';
import { LinkedQueue } from './linked-queue.js';
import { LockFlag, Result } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import { grantPendingLocks } from './master.js';
import { Asts, MessageType } from './message.js';
import { isCompatible, isMiddleConversion, Mode } from './mode.js';
import { confirmMaster } from './owner.js';
import { tellHeld, tellQueues, tellUnqueued } from './queue-facts.js';
import type { Rcom } from './rcom.js';
import { copyLockLvb, lockNameOf, type RcomLock } from './rcom-lock.js';
import { type Lkb, LkbFlag, LockStatus, type Rsb, RsbFlag } from './resource.js';

// Locks move to new masters, and what was lost is settled. Source: Linux fs/dlm/recover.c, lock.c; the functions keep
// their names.

/** As master: locks of nodes that are gone go too. Gives their number. */
export function recoverPurge(ls: Lockspace, root: readonly Rsb[]): number {
  let count = 0;
  root.forEach((r) => {
    if (ls.isMaster(r)) count += purgeMstcpyOf(ls, r);
  });
  if (count > 0) ls.log('info', `dlm_recover_purge ${count} locks for ${ls.membersGone.length} nodes`);
  return count;
}

/** `purge_mstcpy_list` */
function purgeMstcpyOf(ls: Lockspace, r: Rsb): number {
  let count = 0;
  for (const lkb of r.locks()) {
    if (!lkb.isMasterCopy || !ls.isRemoved(lkb.nodeid)) continue;
    if ((lkb.exflags & LockFlag.VALBLK) !== 0 && lkb.grmode >= Mode.PW) r.flags |= RsbFlag.RECOVER_LVB_INVAL;
    r.flags |= RsbFlag.RECOVER_GRANT;
    tellUnqueued(ls, r, lkb, false);
    tellHeld(ls, r, lkb, 'recovery', Mode.IV);
    r.del(lkb);
    ls.releaseLkb(lkb);
    count += 1;
  }
  return count;
}

/** Their owners tell the next master of them (`dlm_purge_mstcpy_locks`). */
export function purgeMstcpyLocks(ls: Lockspace, r: Rsb): void {
  for (const lkb of r.locks()) {
    if (!lkb.isMasterCopy) continue;
    r.del(lkb);
    ls.releaseLkb(lkb);
  }
}

/** Its locks on this node belong to another master now. */
export function setNewMaster(ls: Lockspace, r: Rsb): void {
  for (let lkb = r.firstLock; lkb !== undefined; lkb = r.lockAfter(lkb)) {
    if (lkb.isMasterCopy) continue;
    lkb.nodeid = ls.isMaster(r) ? 0 : r.masterNodeid;
    lkb.remid = 0;
  }
  r.flags |= RsbFlag.NEW_MASTER | RsbFlag.NEW_MASTER2;
}

/** As new master: a twin for a lock of another node; its id is `rl.remid` then. Gives the result. */
export function recoverMasterCopy(ls: Lockspace, from: number, rcom: Rcom, rl: RcomLock): number {
  rl.remid = 0;
  if (rl.parentLkid !== 0) return Result.EOPNOTSUPP;
  const name = lockNameOf(rcom, ls.host.incomingName);
  const r = ls.isNodir ? findRsbNodir(ls, name) : ls.rsbs.find(name);
  // Sent before the directory told us that we are the master: it is sent again. Differs from Linux, which takes locks of any resource
  // that it uses: a message of an earlier recovery would leave one behind for ever where another node has become the master.
  if (r === undefined || (!ls.isMaster(r) && !ls.host.isStrict)) return Result.EBADR;
  for (let lkb = r.firstLock; lkb !== undefined; lkb = r.lockAfter(lkb)) {
    if (lkb.nodeid !== from || lkb.remid !== rl.lkid) continue;
    rl.remid = lkb.lkid;
    return Result.EEXIST;
  }
  if (ls.isNodir) r.flags |= RsbFlag.NEW_MASTER | RsbFlag.NEW_MASTER2;
  const lkb = ls.createLkb(r, -1);
  rl.remid = lkb.lkid;
  receiveRcomLockArgs(ls, r, lkb, from, rcom, rl);
  if (!r.convertqueue.isEmpty || !r.waitqueue.isEmpty) r.flags |= RsbFlag.RECOVER_GRANT;
  ls.recoverLocksIn += 1;
  return 0;
}

function receiveRcomLockArgs(ls: Lockspace, r: Rsb, lkb: Lkb, from: number, rcom: Rcom, rl: RcomLock): void {
  lkb.nodeid = from;
  lkb.remid = rl.lkid;
  lkb.exflags = rl.exflags;
  lkb.flags = (rl.flags & 0xffff) | LkbFlag.MSTCPY;
  lkb.lvbseq = rl.lvbseq;
  lkb.rqmode = rl.rqmode;
  lkb.grmode = rl.grmode;
  lkb.hasBast = (rl.asts & Asts.BAST) !== 0;
  if ((rl.exflags & LockFlag.VALBLK) !== 0) {
    lkb.lvb = new Uint8Array(ls.lvbLength);
    copyLockLvb(rcom, lkb.lvb);
  }
  const isMiddle = rl.waitType === MessageType.CONVERT && isMiddleConversion(rl.grmode, rl.rqmode);
  r.add(lkb, isMiddle && ls.host.isStrict ? LockStatus.convert : rl.status);
  if (isMiddle) beginMiddleRecovery(ls, r, lkb);
}

/** A conversion was in flight; which of PR and CW the old master had granted is to be seen when all locks are in. */
export function beginMiddleRecovery(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  if (ls.host.isStrict) lkb.grmode = Mode.IV;
  else lkb.isMiddleConverting = true;
  r.flags |= RsbFlag.RECOVER_CONVERT;
}

/**
 * As master, when all locks are in: settles the state of the resources that changed (`dlm_recover_rsbs`).
 */
export function recoverRsbs(ls: Lockspace): void {
  let count = 0;
  const asked = resourcesAsked(ls);
  ls.rsbs.forEach((r) => {
    if (ls.isMaster(r)) {
      recoverRsb(ls, r, asked);
      count += 1;
    } else {
      r.flags &= ~RsbFlag.VALNOTVALID;
      if (r.has(RsbFlag.RECOVER_CONVERT)) for (const lkb of r.locks()) lkb.isMiddleConverting = false;
    }
    r.flags &= ~SETTLED;
  });
  if (count > 0) ls.log('info', `dlm_recover_rsbs ${count} done`);
}

function recoverRsb(ls: Lockspace, r: Rsb, asked: ReadonlySet<Rsb>): void {
  if (r.has(RsbFlag.RECOVER_CONVERT)) recoverConversion(ls, r);
  if (r.has(RsbFlag.NEW_MASTER2) && !ls.host.isStrict) orderConversions(r);
  recoverLvb(ls, r, asked);
  tellQueues(ls, r);
  if (r.has(RsbFlag.NEW_MASTER2) && (!r.convertqueue.isEmpty || !r.waitqueue.isEmpty)) {
    r.flags |= RsbFlag.RECOVER_GRANT;
  }
}

const SETTLED = RsbFlag.RECOVER_CONVERT | RsbFlag.RECOVER_LVB_INVAL | RsbFlag.NEW_MASTER | RsbFlag.NEW_MASTER2;

/**
 * Conversions between PR and CW: the mode of another PR or CW lock shows which one was granted.
 *
 * Without such a lock they keep their old mode, if that is one. Linux, which has forgotten it and looks at granted locks only,
 * takes the requested one.
 */
function recoverConversion(ls: Lockspace, r: Rsb): void {
  if (ls.host.isStrict) return recoverConversionStrictly(r);
  let grmode: number | undefined;
  let kept: number | undefined;
  for (const lkb of r.locks()) {
    if (lkb.grmode !== Mode.PR && lkb.grmode !== Mode.CW) continue;
    if (lkb.isMiddleConverting) kept ??= lkb.grmode;
    else grmode ??= lkb.grmode;
  }
  grmode ??= kept ?? Mode.IV;
  for (const lkb of r.locks()) {
    if (lkb.isMiddleConverting) lkb.grmode = grmode;
    lkb.isMiddleConverting = false;
  }
}

function recoverConversionStrictly(r: Rsb): void {
  let grmode: number | undefined;
  for (const lkb of r.grantqueue) if (lkb.grmode === Mode.PR || lkb.grmode === Mode.CW) grmode ??= lkb.grmode;
  for (const lkb of r.convertqueue) if (lkb.grmode === Mode.IV) lkb.grmode = grmode ?? lkb.rqmode;
}

/**
 * Conversions came in any order. One whose granted mode excludes what another one asks for stood before that: behind it, it would
 * have been refused for the deadlock. Differs from Linux, where the two wait for each other from now on.
 */
function orderConversions(r: Rsb): void {
  const { convertqueue } = r;
  if (convertqueue.first === convertqueue.last) return;
  const held = [0, 0, 0, 0, 0, 0];
  for (const { grmode } of convertqueue) if (grmode !== Mode.IV) held[grmode]! += 1;
  const mayBeNext = ({ grmode, rqmode }: Lkb): boolean =>
    held.every((count, mode) => isCompatible(mode, rqmode) || count === (mode === grmode ? 1 : 0));
  const ordered = new LinkedQueue<Lkb>();
  while (convertqueue.first !== undefined) {
    let next: Lkb | undefined = convertqueue.first;
    while (next !== undefined && !mayBeNext(next)) next = next.next;
    // None may, where HEADQUE or NODLCKWT have led to a deadlock.
    next ??= convertqueue.first;
    if (next.grmode !== Mode.IV) held[next.grmode]! -= 1;
    convertqueue.remove(next);
    ordered.addLast(next);
  }
  for (const lkb of ordered) {
    ordered.remove(lkb);
    convertqueue.addLast(lkb);
  }
}

/** The value block after recovery, as the survivors know it; a lost writer makes it invalid. */
function recoverLvb(ls: Lockspace, r: Rsb, asked: ReadonlySet<Rsb>): void {
  if (!r.has(RsbFlag.NEW_MASTER2)) {
    if (r.has(RsbFlag.RECOVER_LVB_INVAL)) ls.setFlag(r, RsbFlag.VALNOTVALID);
    return;
  }
  let high: Lkb | undefined;
  for (let lkb = r.firstLock; lkb !== undefined && lkb.queue !== r.waitqueue; lkb = r.lockAfter(lkb)) {
    if ((lkb.exflags & LockFlag.VALBLK) === 0 || lkb.lvb === undefined) continue;
    // Above CR nobody else could have written since.
    if (lkb.grmode > Mode.CR) return ls.storeLvb(r, lkb.lvb, lkb.lvbseq);
    if (high === undefined || ((lkb.lvbseq - high.lvbseq) | 0) >= 0) high = lkb;
  }
  if (high !== undefined) {
    ls.storeLvb(r, high.lvb!, high.lvbseq);
    ls.setFlag(r, RsbFlag.VALNOTVALID);
  } else if (!ls.host.isStrict && (r.has(RsbFlag.RECOVER_LVB_INVAL) || asked.has(r) || mayHaveHadValue(r))) {
    // Differs from Linux, which lets the survivors go on as if there had never been a value.
    r.lvb ??= new Uint8Array(ls.lvbLength);
    ls.setFlag(r, RsbFlag.VALNOTVALID);
  }
}

/** Resources whose value block is used by a request of this node that awaits its reply. */
function resourcesAsked(ls: Lockspace): ReadonlySet<Rsb> {
  const asked = new Set<Rsb>();
  for (const lkb of ls.waiters) if (lkb.lvb !== undefined) asked.add(lkb.resource);
  return asked;
}

/** Somebody uses the value block of this resource, granted or not. */
function mayHaveHadValue(r: Rsb): boolean {
  for (let lkb = r.firstLock; lkb !== undefined; lkb = r.lockAfter(lkb)) if (lkb.lvb !== undefined) return true;
  for (let lkb = r.lookup.first; lkb !== undefined; lkb = lkb.next) if (lkb.lvb !== undefined) return true;
  return false;
}

/** As master: grants what recovery made grantable, and lets requests go on that waited for the master's name. */
export function recoverGrant(ls: Lockspace): void {
  let locks = 0;
  let resources = 0;
  ls.rsbs.forEach((r) => {
    if (!r.has(RsbFlag.RECOVER_GRANT)) return;
    if (!r.isActive) {
      // Linux leaves the flag on, and the next conversions then ignore the order of the queue.
      if (!ls.host.isStrict) r.flags &= ~RsbFlag.RECOVER_GRANT;
      return;
    }
    if (ls.isMaster(r)) {
      ls.host.observe?.({ kind: 'dlm.regranted', now: ls.host.now, lockspace: ls.name, resource: r.name });
      locks += grantPendingLocks(ls, r);
      resources += 1;
    }
    r.flags &= ~RsbFlag.RECOVER_GRANT;
    if (ls.isMaster(r)) confirmMaster(ls, r, 0);
  });
  if (locks > 0) ls.log('info', `dlm_recover_grant ${locks} locks on ${resources} resources`);
}
