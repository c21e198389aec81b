import type { HeldBy } from './facts.js';
import { LockFlag } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import { Mode, modeName } from './mode.js';
import { type Lkb, LockStatus, type Rsb, RsbFlag } from './resource.js';

// What a master tells of its locks and queues. An owner's process copies stand on queues too, of which nobody tells.

/** A lock was put on a queue. */
export function tellQueued(
  ls: Lockspace,
  r: Rsb,
  lkb: Lkb,
  isFirst: boolean = (lkb.exflags & LockFlag.HEADQUE) !== 0,
): void {
  const { host, name: lockspace } = ls;
  if (host.observe === undefined) return;
  const place = { lockspace, resource: r.name, queue: queueOf(lkb), ...ownerOf(ls, lkb) };
  const mode = modeName(lkb.rqmode);
  const mayDeadlock = (lkb.exflags & LockFlag.NODLCKWT) !== 0;
  host.observe({ kind: 'dlm.queued', now: host.now, ...place, mode, isFirst, mayDeadlock });
}

/** All locks are in after a recovery: they hold what it found, and those that wait stand in the order that it gave them. */
export function tellQueues(ls: Lockspace, r: Rsb): void {
  if (ls.host.observe === undefined) return;
  for (const lkb of r.locks()) if (lkb.grmode !== Mode.IV) tellHeld(ls, r, lkb, 'recovery');
  for (const queue of [r.convertqueue, r.waitqueue]) for (const lkb of queue) tellQueued(ls, r, lkb, false);
}

/** A lock is about to leave its queue, if it is on one of those that wait. */
export function tellUnqueued(ls: Lockspace, r: Rsb, lkb: Lkb, isGranted: boolean): void {
  const { host, name: lockspace } = ls;
  if (host.observe === undefined || !ls.isMaster(r)) return;
  if (lkb.status !== LockStatus.convert && lkb.status !== LockStatus.waiting) return;
  const mayOvertake = (lkb.exflags & OVERTAKING) !== 0;
  const isUnordered = r.has(RsbFlag.RECOVER_GRANT);
  const place = { lockspace, resource: r.name, queue: queueOf(lkb), ...ownerOf(ls, lkb) };
  host.observe({ kind: 'dlm.unqueued', now: host.now, ...place, isGranted, mayOvertake, isUnordered });
}

/** A lock's granted mode has changed, or was granted again. */
export function tellHeld(ls: Lockspace, r: Rsb, lkb: Lkb, by: HeldBy, grmode: number = lkb.grmode): void {
  const { host, name: lockspace } = ls;
  if (host.observe === undefined || !ls.isMaster(r)) return;
  const { lkid, hasBast } = lkb;
  const mode = modeName(grmode);
  const mayOvertake = (lkb.exflags & OVERTAKING) !== 0;
  const about = { lockspace, resource: r.name, lkid, ...ownerOf(ls, lkb) };
  host.observe({ kind: 'dlm.held', now: host.now, ...about, mode, by, hasBast, mayOvertake });
}

/** A call of a lock's owner is carried out. */
export function tellCarriedOut(
  ls: Lockspace,
  r: Rsb,
  lkb: Lkb,
  call: 'request' | 'convert' | 'unlock' | 'cancel',
): void {
  const { host, name: lockspace } = ls;
  if (host.observe === undefined) return;
  host.observe({ kind: 'dlm.carried-out', now: host.now, lockspace, resource: r.name, ...ownerOf(ls, lkb), call });
}

/** A blocking AST goes to a lock's owner. */
export function tellBast(ls: Lockspace, r: Rsb, lkb: Lkb, mode: number): void {
  const { host, name: lockspace } = ls;
  if (host.observe === undefined) return;
  const about = { lockspace, resource: r.name, ...ownerOf(ls, lkb) };
  host.observe({ kind: 'dlm.bast', now: host.now, ...about, mode: modeName(mode) });
}

const OVERTAKING = LockFlag.NOORDER | LockFlag.EXPEDITE;

function queueOf(lkb: Lkb): 'convert' | 'wait' {
  return lkb.status === LockStatus.convert ? 'convert' : 'wait';
}

function ownerOf(ls: Lockspace, lkb: Lkb): { readonly owner: number; readonly ownerLkid: number } {
  return lkb.isMasterCopy ? { owner: lkb.nodeid, ownerLkid: lkb.remid } : { owner: ls.nodeid, ownerLkid: lkb.lkid };
}
