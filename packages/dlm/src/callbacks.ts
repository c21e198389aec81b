import { crc32 } from '@quorate/kernel';
import type { CastOutput } from './dlm-io.js';
import { LockFlag, Status, StatusFlag } from './lock-flags.js';
import type { HeldCallback, Lockspace } from './lockspace.js';
import { isCompatible, LvbOperation, lvbOperation, Mode, modeName } from './mode.js';
import { type Lkb, LkbFlag } from './resource.js';

/** No call may name a lock any more after these completions. */
function isEndOfLife(status: number, mode: number): boolean {
  return status === Status.EUNLOCK || (status !== Status.granted && mode === Mode.IV);
}

/**
 * Completion AST: to the owner if it is here; a master copy's owner learns it from a reply.
 *
 * Source: Linux fs/dlm/ast.c, `dlm_add_cb`; lock.c, `queue_cast`.
 */
export function queueCast(ls: Lockspace, lkb: Lkb, result: number): void {
  if (lkb.isMasterCopy) return;
  if (ls.timeouts.size > 0) ls.timeouts.delete(lkb);
  let status = result;
  if (lkb.has(LkbFlag.TIMEOUT_CANCEL)) {
    lkb.flags &= ~LkbFlag.TIMEOUT_CANCEL;
    if (status === Status.ECANCEL) status = Status.ETIMEDOUT;
  }
  if (status === Status.ECANCEL && lkb.has(LkbFlag.DEADLOCK_CANCEL)) {
    lkb.flags &= ~LkbFlag.DEADLOCK_CANCEL;
    status = Status.EDEADLK;
  }
  if (ls.isHoldingCallbacks) {
    ls.heldCallbacks.push({ kind: 'cast', lkb, status, mode: lkb.grmode, flags: lkb.sbflags });
  } else deliverCast(ls, lkb, status, lkb.grmode, lkb.sbflags);
}

/** The completion of an operation that a cancel or force-unlock overtook before it reached a master. */
export function queueCastOverlap(ls: Lockspace, lkb: Lkb): void {
  queueCast(ls, lkb, lkb.has(LkbFlag.OVERLAP_UNLOCK) ? Status.EUNLOCK : Status.ECANCEL);
}

/** Blocking AST to an owner on this node; the caller looks after `highbast`. */
export function queueLocalBast(ls: Lockspace, lkb: Lkb, mode: number): void {
  if (!ls.isHoldingCallbacks) deliverBast(ls, lkb, mode);
  else if (!isBastHeld(ls, lkb, mode)) ls.heldCallbacks.push({ kind: 'bast', lkb, mode });
}

/** The last callback that waits for this lock tells as much already. */
function isBastHeld(ls: Lockspace, lkb: Lkb, mode: number): boolean {
  for (let i = ls.heldCallbacks.length - 1; i >= 0; i--) {
    const held = ls.heldCallbacks[i]!;
    if (held.lkb !== lkb) continue;
    return held.kind === 'bast' && (held.mode === mode || (held.mode > mode && held.mode > Mode.PR));
  }
  return false;
}

/** Hands out what recovery kept back, in order. */
export function resumeCallbacks(ls: Lockspace): void {
  ls.isHoldingCallbacks = false;
  for (const held of ls.heldCallbacks.splice(0)) deliver(ls, held);
}

function deliver(ls: Lockspace, held: HeldCallback): void {
  if (held.kind === 'bast') deliverBast(ls, held.lkb, held.mode);
  else deliverCast(ls, held.lkb, held.status, held.mode, held.flags);
}

/** Nobody hears of it: its process is gone, or about to be. */
function isDeaf(ls: Lockspace, lkb: Lkb): boolean {
  return lkb.isAbandoned || lkb.process === ls.leavingProcess || (ls.orphans.size > 0 && ls.orphans.has(lkb));
}

function deliverBast(ls: Lockspace, lkb: Lkb, mode: number): void {
  if (!lkb.wantsBast || isDeaf(ls, lkb)) return;
  // The lock was converted out of the way before the owner could be told.
  if (lkb.lastCastMode !== undefined && isCompatible(mode, lkb.lastCastMode)) return;
  lkb.lastBast = mode;
  ls.host.emit({ kind: 'bast', lockspace: ls.name, handle: lkb.handle, mode });
}

function deliverCast(ls: Lockspace, lkb: Lkb, status: number, mode: number, flags: number): void {
  const { handle, lvb, lastCastMode } = lkb;
  if (isEndOfLife(status, mode)) ls.forgetHandle(lkb);
  lkb.lastCastMode = mode;
  if (ls.host.observe !== undefined) tellCast(ls, lkb, status, mode, flags, lastCastMode ?? Mode.IV);
  if (isDeaf(ls, lkb)) return;
  const output: CastOutput = { kind: 'cast', lockspace: ls.name, handle, status, mode, flags };
  ls.host.emit(lvb === undefined ? output : { ...output, lvb });
}

function tellCast(ls: Lockspace, lkb: Lkb, status: number, mode: number, flags: number, before: number): void {
  const { host, name: lockspace } = ls;
  const about = { now: host.now, lockspace, resource: lkb.resource.name, lkid: lkb.lkid };
  const master = lkb.nodeid === 0 ? ls.nodeid : lkb.nodeid;
  const hasValueBlock = (lkb.exflags & LockFlag.VALBLK) !== 0;
  const wasDemoted = (flags & StatusFlag.DEMOTED) !== 0;
  host.observe?.({ kind: 'dlm.cast', ...about, status, mode: modeName(mode) });
  if (before === Mode.IV && status === Status.granted) {
    host.observe?.({ kind: 'dlm.lock-granted', ...about, mode: modeName(mode), master, hasValueBlock });
  } else if (mode !== Mode.IV) {
    const isGranted = status === Status.granted;
    const isAlternate = (flags & StatusFlag.ALTMODE) !== 0;
    const how = { isGranted, isAlternate, wasDemoted, master, hasValueBlock };
    host.observe?.({ kind: 'dlm.converted', ...about, mode: modeName(mode), ...how });
  }
  const isRead = lvbOperation(wasDemoted ? Mode.NL : before, mode) === LvbOperation.read;
  if (status !== Status.granted || !hasValueBlock || !isRead || lkb.lvb === undefined) return;
  const isValid = (flags & StatusFlag.VALNOTVALID) === 0;
  const digest = crc32(lkb.lvb);
  host.observe?.({ kind: 'dlm.lvb-read', ...about, mode: modeName(mode), digest, lvbseq: lkb.lvbseq, isValid });
}
