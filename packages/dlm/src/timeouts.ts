import type { Nanos } from '@quorate/kernel';
import { LockFlag } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import type { Lkb } from './resource.js';

// Locks of this node that are queued too long. Source: Linux fs/dlm/lock.c up to 6.1; the functions keep their names.

/** A lock has joined the queue that it waits on (`add_timeout`). */
export function addTimeout(ls: Lockspace, lkb: Lkb): void {
  if (lkb.isMasterCopy) return;
  const { now, timewarn } = ls.host;
  const isWarned = ls.isTimewarn && (lkb.exflags & LockFlag.NODLCKWT) === 0;
  const isCanceled = (lkb.exflags & LockFlag.TIMEOUT) !== 0;
  if (!isWarned && !isCanceled) return;
  const watch = { cancelAt: isCanceled ? now + lkb.timeout : Infinity, warnAt: isWarned ? now + timewarn : Infinity };
  ls.timeouts.set(lkb, watch);
}

/** When the next lock has waited too long. Linux looks only as often as at inactive resources. */
export function timeoutDeadline(ls: Lockspace): Nanos {
  if (ls.timeouts.size === 0 || !ls.isRunning) return Infinity;
  let least = Infinity;
  for (const { cancelAt, warnAt } of ls.timeouts.values()) least = Math.min(least, cancelAt, warnAt);
  const { isStrict, scanInterval } = ls.host;
  return isStrict ? Math.ceil(least / scanInterval) * scanInterval : least;
}

/** The time that the lockspace stood still does not count (`dlm_adjust_timeouts`). */
export function adjustTimeouts(ls: Lockspace, standstill: Nanos): void {
  for (const watch of ls.timeouts.values()) {
    watch.cancelAt += standstill;
    watch.warnAt += standstill;
  }
}
