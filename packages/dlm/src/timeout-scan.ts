import type { Lockspace } from './lockspace.js';
import { modeName } from './mode.js';
import { cancelAtMaster } from './owner.js';
import { type Lkb, LkbFlag } from './resource.js';

// What becomes of locks that are queued too long. Source: Linux fs/dlm/lock.c up to 6.1; the functions keep their names.

/** Cancels and warns (`dlm_scan_timeout`). */
export function scanTimeout(ls: Lockspace): void {
  const { now } = ls.host;
  for (const [lkb, watch] of [...ls.timeouts]) {
    if (watch.warnAt <= now) {
      watch.warnAt = Infinity;
      timeoutWarn(ls, lkb);
    }
    if (watch.cancelAt <= now) {
      watch.cancelAt = Infinity;
      cancelForTimeout(ls, lkb);
    }
    if (watch.warnAt === Infinity && watch.cancelAt === Infinity) ls.timeouts.delete(lkb);
  }
}

/** `dlm_timeout_warn`: Linux sends the lock to a netlink group that dlm_controld listens to. */
function timeoutWarn(ls: Lockspace, { lkid, handle, process, xid, resource, grmode, rqmode }: Lkb): void {
  const { name: lockspace, host } = ls;
  const lock = {
    lkid,
    handle,
    process,
    xid,
    resource: resource.name,
    grmode: modeName(grmode),
    rqmode: modeName(rqmode),
  };
  host.emit({ kind: 'timewarn', lockspace, ...lock });
}

function cancelForTimeout(ls: Lockspace, lkb: Lkb): void {
  // An unlock, or a cancel of the owner's own, is under way.
  if (lkb.waitType !== 0 || lkb.isOverlap) return;
  ls.log('debug', `timeout cancel ${lkb.lkid.toString(16)} node ${lkb.nodeid} ${lkb.resource.name}`);
  lkb.flags |= LkbFlag.TIMEOUT_CANCEL;
  cancelAtMaster(ls, lkb.resource, lkb);
}
