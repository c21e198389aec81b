import { LockFlag, StatusFlag } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import type { Message } from './message.js';
import { LvbOperation, lvbOperation, Mode } from './mode.js';
import { type Lkb, type Rsb, RsbFlag } from './resource.js';

/**
 * Value block of a grant, at the master.
 *
 * Source: Linux fs/dlm/lock.c, `set_lvb_lock`.
 */
export function setLvbLock(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  switch (lvbOperation(lkb.grmode, lkb.rqmode)) {
    case LvbOperation.read:
      if (!hasBuffer(lkb) || r.lvb === undefined) return;
      lkb.lvb!.set(r.lvb);
      lkb.lvbseq = r.lvbseq;
      break;
    case LvbOperation.write:
      if ((lkb.exflags & LockFlag.IVVALBLK) !== 0) return ls.setFlag(r, RsbFlag.VALNOTVALID);
      if (!hasBuffer(lkb)) return;
      ls.writeLvb(r, lkb.lvb!);
      lkb.lvbseq = r.lvbseq;
      break;
  }
  if (r.has(RsbFlag.VALNOTVALID)) lkb.sbflags |= StatusFlag.VALNOTVALID;
}

/** Value block of an unlock, at the master (`set_lvb_unlock`). */
export function setLvbUnlock(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  if (lkb.grmode < Mode.PW) return;
  if ((lkb.exflags & LockFlag.IVVALBLK) !== 0) return ls.setFlag(r, RsbFlag.VALNOTVALID);
  if (!hasBuffer(lkb)) return;
  ls.writeLvb(r, lkb.lvb!);
}

/** Value block of a grant at an owner whose master is elsewhere: it came with the message (`set_lvb_lock_pc`). */
export function setLvbLockPc(lkb: Lkb, m: Message): void {
  if (!hasBuffer(lkb) || lvbOperation(lkb.grmode, lkb.rqmode) !== LvbOperation.read) return;
  m.copyExtra(lkb.lvb!);
  lkb.lvbseq = m.lvbseq;
}

function hasBuffer(lkb: Lkb): boolean {
  return lkb.lvb !== undefined && (lkb.exflags & LockFlag.VALBLK) !== 0;
}

/** The buffer that VALBLK needs; zeros at first. */
export function ensureBuffer(ls: Lockspace, lkb: Lkb): void {
  if ((lkb.exflags & LockFlag.VALBLK) !== 0) lkb.lvb ??= new Uint8Array(ls.lvbLength);
}

/** What the owner sent with a conversion or unlock goes into the master's twin (`receive_lvb`). */
export function receiveLvb(ls: Lockspace, lkb: Lkb, m: Message): void {
  ensureBuffer(ls, lkb);
  if ((lkb.exflags & LockFlag.VALBLK) !== 0) m.copyExtra(lkb.lvb!);
}
