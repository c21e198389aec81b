import type { LinkedQueue } from './linked-queue.js';
import { LockFlag, StatusFlag } from './lock-flags.js';
import { isCompatible, Mode } from './mode.js';
import type { Lkb, Rsb } from './resource.js';

function queueConflict(queue: LinkedQueue<Lkb>, lkb: Lkb): boolean {
  for (let other = queue.first; other !== undefined; other = other.next) {
    if (other !== lkb && !isCompatible(other.grmode, lkb.rqmode)) return true;
  }
  return false;
}

/**
 * Whether a lock's requested mode can be granted, in the order in which VMS and Linux ask.
 *
 * `now`: its first attempt, it is not queued yet. `recover`: the order of the queues was lost in recovery.
 *
 * Source: Linux fs/dlm/lock.c, `_can_be_granted`.
 */
function canBeGrantedAsAsked(r: Rsb, lkb: Lkb, now: boolean, recover: boolean): boolean {
  const conv = lkb.grmode !== Mode.IV;
  if ((lkb.exflags & LockFlag.EXPEDITE) !== 0) return true;
  if (queueConflict(r.grantqueue, lkb)) return false;
  // A converting lock still holds its old mode.
  if (queueConflict(r.convertqueue, lkb)) return false;
  if (conv && recover) return true;
  // Conversions are in place and may pass queued ones, unless they ask to be fair.
  if (now && conv) return (lkb.exflags & LockFlag.QUECVT) === 0 || r.convertqueue.isEmpty;
  if ((lkb.exflags & LockFlag.NOORDER) !== 0) return true;
  if (conv) return r.convertqueue.first === lkb;
  if (!r.convertqueue.isEmpty) return false;
  return now ? r.waitqueue.isEmpty : r.waitqueue.first === lkb;
}

/** A conversion just demoted to NL is tried once more before it queues; no alternate mode, no deadlock check. */
export function canDemotedBeGranted(r: Rsb, lkb: Lkb): boolean {
  return canBeGrantedAsAsked(r, lkb, true, false);
}

/**
 * `demoted`: its granted mode is NL now, it may be tried again. `deadlock`: it must fail, or be told to give way.
 */
export type GrantVerdict = 'granted' | 'blocked' | 'demoted' | 'deadlock';

/**
 * Whether a lock can be granted, with conversion deadlock and alternate modes.
 *
 * Sets DEMOTED and the granted mode NL, or ALTMODE and the requested mode, where these are the way out.
 *
 * Source: Linux fs/dlm/lock.c, `can_be_granted`.
 */
export function canBeGranted(r: Rsb, lkb: Lkb, now: boolean, recover: boolean): GrantVerdict {
  if (canBeGrantedAsAsked(r, lkb, now, recover)) return 'granted';
  const isConvert = lkb.grmode !== Mode.IV;
  if (isConvert && (lkb.exflags & LockFlag.NOQUEUE) === 0 && isConversionDeadlock(r, lkb)) {
    if ((lkb.exflags & LockFlag.CONVDEADLK) === 0) return 'deadlock';
    lkb.grmode = Mode.NL;
    lkb.sbflags |= StatusFlag.DEMOTED;
    return 'demoted';
  }
  return isAlternateGranted(r, lkb, now) ? 'granted' : 'blocked';
}

function isAlternateGranted(r: Rsb, lkb: Lkb, now: boolean): boolean {
  const { rqmode, exflags } = lkb;
  let alternate: number = Mode.IV;
  if (rqmode !== Mode.PR && (exflags & LockFlag.ALTPR) !== 0) alternate = Mode.PR;
  else if (rqmode !== Mode.CW && (exflags & LockFlag.ALTCW) !== 0) alternate = Mode.CW;
  if (alternate === Mode.IV) return false;
  lkb.rqmode = alternate;
  if (canBeGrantedAsAsked(r, lkb, now, false)) {
    lkb.sbflags |= StatusFlag.ALTMODE;
    return true;
  }
  lkb.rqmode = rqmode;
  return false;
}

/**
 * Whether a conversion would wait for one that waits for it. One ahead of it needs only be blocked by it, since the
 * convert queue is first in, first out; one behind it must also block it.
 *
 * Source: Linux fs/dlm/lock.c, `conversion_deadlock_detect`.
 */
function isConversionDeadlock(r: Rsb, lkb: Lkb): boolean {
  let isBehind = true;
  for (let other = r.convertqueue.first; other !== undefined; other = other.next) {
    if (other === lkb) {
      isBehind = false;
      continue;
    }
    if (isCompatible(lkb.grmode, other.rqmode)) continue;
    if (isBehind || !isCompatible(other.grmode, lkb.rqmode)) return true;
  }
  return false;
}

/** Whether a granted lock has to hear of this request (`modes_require_bast`). */
export function requiresBastFor(granted: Lkb, rqmode: number): boolean {
  const { grmode, highbast } = granted;
  if ((grmode === Mode.PR && rqmode === Mode.CW) || (grmode === Mode.CW && rqmode === Mode.PR)) {
    return highbast < Mode.EX;
  }
  return highbast < rqmode && !isCompatible(grmode, rqmode);
}

/**
 * Whether a granted lock has to hear of what stayed blocked: `high` is the highest mode, `cw` whether one asks for CW
 * (`lock_requires_bast`).
 */
export function requiresBastForBlocked(granted: Lkb, high: number, cw: boolean): boolean {
  const { grmode, highbast } = granted;
  if (grmode === Mode.PR && cw) return highbast < Mode.EX;
  return highbast < high && !isCompatible(grmode, high);
}
