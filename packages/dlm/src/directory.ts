import { jhash } from './hash.js';
import { Result } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import { type Rsb, RsbFlag } from './resource.js';
import type { NameBytes } from './resource-table.js';
import { sendRemove } from './send.js';

// Who masters a resource, and who knows. Source: Linux fs/dlm/lock.c, dir.c; the functions keep their names.

/** The record for a request of this node; made if there is none. */
export function findRsbLocal(ls: Lockspace, name: string): Rsb {
  const found = ls.rsbs.get(name);
  if (ls.isNodir) return found ?? newRsbNodir(ls, name, jhash(name));
  if (found === undefined) {
    const r = ls.newRsb(name, jhash(name));
    if (r.dirNodeid === ls.nodeid) ls.setMaster(r, ls.nodeid);
    return r;
  }
  if (!found.isActive && !ls.isMaster(found)) {
    found.firstLkid = 0;
    // Nobody told us what became of it while we held no lock on it. Differs from Linux where its last lock went before
    // the lookup was answered: no master is known then, and Linux would take this node for it.
    if (found.masterNodeid !== 0) found.flags |= RsbFlag.MASTER_UNCERTAIN;
  }
  return found;
}

/**
 * The record for a request that another node sent because it takes us for the master; EBADR or ENOTBLK if we are not.
 *
 * Whether we are is for the directory node to say: what it sends us, we master.
 */
export function findRsbRequested(ls: Lockspace, name: NameBytes, from: number): Rsb | number {
  if (ls.isNodir) return findRsbNodir(ls, name) ?? Result.ENOTBLK;
  const found = ls.rsbs.find(name);
  if (found === undefined) {
    const dirNodeid = ls.hash2nodeid(name.hash);
    if (dirNodeid !== ls.nodeid && dirNodeid !== from) return Result.EBADR;
    const r = ls.newRsb(name.toString(), name.hash);
    ls.setMaster(r, ls.nodeid);
    return r;
  }
  if (ls.isMaster(found)) return found;
  if (from !== found.dirNodeid) return Result.ENOTBLK;
  ls.setMaster(found, ls.nodeid);
  if (!found.isActive) {
    found.flags &= ~RsbFlag.MASTER_UNCERTAIN;
    found.firstLkid = 0;
  }
  return found;
}

/** Without a directory: the record of a resource that we master; made if there is none. Undefined if its hash leads elsewhere. */
export function findRsbNodir(ls: Lockspace, name: NameBytes): Rsb | undefined {
  const found = ls.rsbs.find(name);
  if (found !== undefined) return ls.isMaster(found) ? found : undefined;
  return ls.hash2nodeid(name.hash) === ls.nodeid ? newRsbNodir(ls, name.toString(), name.hash) : undefined;
}

function newRsbNodir(ls: Lockspace, name: string, hash: number): Rsb {
  const r = ls.newRsb(name, hash);
  ls.setMaster(r, r.dirNodeid);
  return r;
}

/**
 * Why the directory node is asked: for a request; by a master that tells its name in recovery; for a resource whose
 * master is gone.
 */
export type LookupPurpose = 'request' | 'recover-dir' | 'recover-master';

/** As directory node: who masters that resource. Who asks first becomes master. -1: we are not its directory node. */
export function masterLookup(ls: Lockspace, from: number, name: NameBytes, purpose: LookupPurpose): number {
  const found = ls.rsbs.find(name);
  const dirNodeid = found === undefined ? ls.hash2nodeid(name.hash) : found.dirNodeid;
  if (dirNodeid !== ls.nodeid) {
    ls.log('err', `dlm_master_lookup from ${from} dir ${dirNodeid} our ${ls.nodeid}`);
    return -1;
  }
  const r = found ?? ls.newRsb(name.toString(), name.hash);
  if (r.masterNodeid === 0 || (purpose === 'recover-dir' && r.masterNodeid === from)) ls.recordMaster(r, from);
  else if (purpose === 'recover-dir') correctMaster(ls, r, from);
  else if (purpose === 'recover-master' && ls.isRemoved(r.masterNodeid)) giveToNewMaster(ls, r, from);
  return r.masterNodeid;
}

/** Even if we hold locks on it ourselves they have to move to the node that asked first. */
function giveToNewMaster(ls: Lockspace, r: Rsb, nodeid: number): void {
  ls.recordMaster(r, nodeid);
  r.flags |= RsbFlag.NEW_MASTER;
}

/** A recovery that was cut short had made that node master before we could learn of it. */
function correctMaster(ls: Lockspace, r: Rsb, nodeid: number): void {
  if (ls.isMaster(r)) return ls.log('err', `dlm_master_lookup from_master ${nodeid} our_master ${r.name}`);
  giveToNewMaster(ls, r, nodeid);
}

/** As directory node: the master gives the resource up (`receive_remove`). */
export function receiveRemove(ls: Lockspace, from: number, name: NameBytes): boolean {
  const r = ls.rsbs.find(name);
  // We use it ourselves: our request will reach the former master, which then makes it again.
  if (r?.isActive) return true;
  if (r === undefined || r.dirNodeid !== ls.nodeid || r.masterNodeid !== from) return false;
  ls.freeRsb(r);
  return true;
}

/**
 * Looks through the inactive resources and frees those that were not used for long. A master that is not the directory
 * node says so first; a LOOKUP of the same name by this node can only follow that message.
 *
 * Source: Linux fs/dlm/lock.c, `shrink_bucket`.
 */
export function scanRsbs(ls: Lockspace): void {
  const { now, tossTime } = ls.host;
  for (const r of ls.inactive) {
    if (r.tossTime + tossTime > now) return;
    if (ls.isMaster(r) && r.dirNodeid !== ls.nodeid) sendRemove(ls, r);
    ls.freeRsb(r);
  }
}

/**
 * Drops every inactive resource: cached masters and directory records do not outlive a change (`dlm_clear_toss`). Gives the
 * others, which recovery goes through (`dlm_create_root_list`).
 */
export function clearToss(ls: Lockspace): Rsb[] {
  const active: Rsb[] = [];
  ls.rsbs.forEach((r) => {
    if (r.isActive) active.push(r);
    else ls.freeRsb(r);
  });
  return active;
}
