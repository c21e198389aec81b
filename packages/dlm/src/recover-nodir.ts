import type { Lockspace } from './lockspace.js';
import { purgeMstcpyLocks, recoverPurge, setNewMaster } from './recover-locks.js';
import { recoverWaitersPre } from './recover-waiters.js';
import { type Rsb, RsbFlag } from './resource.js';

// Recovery without a directory (`nodir`): with other members a hash leads elsewhere, so every master gives all up, and every lock goes to
// who is the master now, also if that is the one it was. Operations in flight are issued anew, and no message from before counts.
//
// Differs from Linux, which does all this when DIR is over. From then on locks come: those that come early are purged there with the old
// ones. Here masters have given up before NODES is over, and others have taken over before DIR is.

/**
 * Before NODES is set: what we master has no master any more, and the locks of other nodes are theirs alone.
 *
 * The value block goes too: what overtakes it may be among the messages that are dropped. Its holders bring it along, if any is sure of
 * it. Differs from Linux, where it stays, and stays valid, on a master that is the next one as well.
 */
export function giveMastersUp(ls: Lockspace, root: readonly Rsb[]): void {
  recoverPurge(ls, root);
  for (const r of root) {
    if (!ls.isMaster(r)) continue;
    ls.setMaster(r, 0);
    purgeMstcpyLocks(ls, r);
    r.flags &= ~RsbFlag.VALNOTVALID;
    if (r.lvb === undefined) continue;
    r.flags |= RsbFlag.RECOVER_LVB_INVAL;
    ls.dropLvb(r);
  }
}

/**
 * Before DIR is set: each resource that we use has the master that its hash leads to.
 *
 * Source: Linux fs/dlm/recover.c, `recover_master_static`.
 */
export function recoverMastersStatic(ls: Lockspace, root: readonly Rsb[]): void {
  recoverWaitersPre(ls);
  let count = 0;
  for (const r of root) {
    if (!r.isActive) {
      ls.freeRsb(r);
      continue;
    }
    ls.setMaster(r, r.dirNodeid);
    setNewMaster(ls, r);
    count += 1;
  }
  ls.log('info', `dlm_recover_masters ${count} of ${count}`);
}
