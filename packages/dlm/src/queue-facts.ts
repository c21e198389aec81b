import { LockFlag } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import { type Lkb, LockStatus, type Rsb, RsbFlag } from './resource.js';

// What a master tells of its queues. An owner's process copies stand on queues too, of which nobody tells.

/** A lock was put on a queue. */
export function tellQueued(
  ls: Lockspace,
  r: Rsb,
  lkb: Lkb,
  isFirst: boolean = (lkb.exflags & LockFlag.HEADQUE) !== 0,
): void {
  const { host, name: lockspace } = ls;
  if (host.observe === undefined) return;
  const place = { lockspace, resource: r.name, queue: queueOf(lkb), ...ownerOf(ls, lkb), isFirst };
  host.observe({ kind: 'dlm.queued', now: host.now, ...place });
}

/** All locks are in after a recovery: those that wait stand in the order that it gave them. */
export function tellQueues(ls: Lockspace, r: Rsb): void {
  if (ls.host.observe === undefined) return;
  for (const queue of [r.convertqueue, r.waitqueue]) for (const lkb of queue) tellQueued(ls, r, lkb, false);
}

/** A lock is about to leave its queue, if it is on one of those that wait. */
export function tellUnqueued(ls: Lockspace, r: Rsb, lkb: Lkb, isGranted: boolean): void {
  const { host, name: lockspace } = ls;
  if (host.observe === undefined || !ls.isMaster(r)) return;
  if (lkb.status !== LockStatus.convert && lkb.status !== LockStatus.waiting) return;
  const mayOvertake = (lkb.exflags & (LockFlag.NOORDER | LockFlag.EXPEDITE)) !== 0;
  const isUnordered = r.has(RsbFlag.RECOVER_GRANT);
  const place = { lockspace, resource: r.name, queue: queueOf(lkb), ...ownerOf(ls, lkb) };
  host.observe({ kind: 'dlm.unqueued', now: host.now, ...place, isGranted, mayOvertake, isUnordered });
}

function queueOf(lkb: Lkb): 'convert' | 'wait' {
  return lkb.status === LockStatus.convert ? 'convert' : 'wait';
}

function ownerOf(ls: Lockspace, lkb: Lkb): { readonly owner: number; readonly ownerLkid: number } {
  return lkb.isMasterCopy ? { owner: lkb.nodeid, ownerLkid: lkb.remid } : { owner: ls.nodeid, ownerLkid: lkb.lkid };
}
