import { Asts } from './message.js';
import { Mode } from './mode.js';
import { MAX_BODY_BYTES, RCOM_BYTES, type Rcom, type RcomWriter, writeName } from './rcom.js';
import { type Lkb, LockStatus } from './resource.js';
import type { NameBytes } from './resource-table.js';

/**
 * Body of LOCK and LOCK_REPLY, 108 bytes and the value block if the lock has one.
 *
 * offset size field
 *      0    4 pid
 *      4    4 lkid           the owner's
 *      8    4 remid          the new master's, in the reply
 *     12    8 parent ids     zero
 *     20    4 exflags
 *     24    4 flags
 *     28    4 lvbseq
 *     32    4 result         signed, in the reply
 *     36    1 rqmode         signed
 *     37    1 grmode         signed
 *     38    1 status         `LockStatus`
 *     39    1 asts
 *     40    2 wait type
 *     42    2 length of the name
 *     44   64 name           zero filled
 *    108      value block
 *
 * Objects are reused: each serves for one message after the other.
 *
 * Source: Linux fs/dlm/dlm_internal.h, `rcom_lock`.
 */
export class RcomLock {
  pid = 0;
  lkid = 0;
  remid = 0;
  parentLkid = 0;
  exflags = 0;
  flags = 0;
  lvbseq = 0;
  result = 0;
  rqmode: number = Mode.IV;
  grmode: number = Mode.IV;
  status = 0;
  asts = 0;
  waitType = 0;
}

const NAME_AT = 44;
const NAME_BYTES = 64;
const LOCK_BYTES = 108;

/** Longest value block that fits a LOCK, which is longer than a message of locking, inside the envelope. */
export const MAX_LVB_BYTES: number = MAX_BODY_BYTES - LOCK_BYTES;

/**
 * Writes the body of a LOCK, a lock as its new master hears of it; gives its length.
 *
 * Source: Linux fs/dlm/rcom.c, `pack_rcom_lock`.
 */
export function packRcomLock({ bytes, view }: RcomWriter, lkb: Lkb): number {
  const { lvb } = lkb;
  const { name } = lkb.resource;
  bytes.fill(0, RCOM_BYTES, RCOM_BYTES + LOCK_BYTES);
  view.setUint32(RCOM_BYTES + 4, lkb.lkid, true);
  view.setUint32(RCOM_BYTES + 20, lkb.exflags, true);
  view.setUint32(RCOM_BYTES + 24, lkb.flags, true);
  view.setUint32(RCOM_BYTES + 28, lkb.lvbseq, true);
  bytes[RCOM_BYTES + 36] = lkb.rqmode;
  bytes[RCOM_BYTES + 37] = lkb.grmode;
  bytes[RCOM_BYTES + 38] = lkb.status;
  bytes[RCOM_BYTES + 39] = lkb.hasBast ? Asts.CAST | Asts.BAST : Asts.CAST;
  view.setUint16(RCOM_BYTES + 40, lkb.waitType, true);
  view.setUint16(RCOM_BYTES + 42, name.length, true);
  writeName(bytes, RCOM_BYTES + NAME_AT, name);
  if (lvb === undefined) return LOCK_BYTES;
  bytes.set(lvb, RCOM_BYTES + LOCK_BYTES);
  return LOCK_BYTES + lvb.length;
}

/** Reads the body of a LOCK or its reply; false if it is short, or a mode, the status or the name's length are none. */
export function decodeLock(rcom: Rcom, lock: RcomLock): boolean {
  const { view, bodyAt: at } = rcom;
  if (rcom.bodyLength < LOCK_BYTES) return false;
  lock.pid = view.getUint32(at, true);
  lock.lkid = view.getUint32(at + 4, true);
  lock.remid = view.getUint32(at + 8, true);
  lock.parentLkid = view.getUint32(at + 12, true);
  lock.exflags = view.getUint32(at + 20, true);
  lock.flags = view.getUint32(at + 24, true);
  lock.lvbseq = view.getUint32(at + 28, true);
  lock.result = view.getInt32(at + 32, true);
  lock.rqmode = view.getInt8(at + 36);
  lock.grmode = view.getInt8(at + 37);
  lock.status = view.getUint8(at + 38);
  lock.asts = view.getUint8(at + 39);
  lock.waitType = view.getUint16(at + 40, true);
  return nameLengthOf(rcom) <= NAME_BYTES && isSound(lock);
}

function isSound({ rqmode, grmode, status }: RcomLock): boolean {
  if (rqmode < Mode.IV || rqmode > Mode.EX || grmode < Mode.IV || grmode > Mode.EX) return false;
  return status >= LockStatus.waiting && status <= LockStatus.convert;
}

function nameLengthOf({ view, bodyAt }: Rcom): number {
  return view.getUint16(bodyAt + 42, true);
}

/** The name of the resource that a LOCK is on goes into `name`. */
export function lockNameOf(rcom: Rcom, name: NameBytes): NameBytes {
  const at = rcom.bodyAt + NAME_AT;
  return name.turnTo(rcom.bytes, at, at + nameLengthOf(rcom));
}

/** Copies the value block that a LOCK carries, or as much of it as came. */
export function copyLockLvb({ bytes, bodyAt, end }: Rcom, to: Uint8Array): void {
  const at = bodyAt + LOCK_BYTES;
  const length = Math.min(end - at, to.length);
  for (let i = 0; i < length; i++) to[i] = bytes[at + i]!;
}

/** Writes the body of a LOCK's reply: its first 108 bytes with two fields filled in. Gives its length. */
export function writeLockReply({ bytes, view }: RcomWriter, request: Rcom, remid: number, result: number): number {
  bytes.set(request.bytes.subarray(request.bodyAt, request.bodyAt + LOCK_BYTES), RCOM_BYTES);
  view.setUint32(RCOM_BYTES + 8, remid, true);
  view.setInt32(RCOM_BYTES + 32, result, true);
  return LOCK_BYTES;
}
