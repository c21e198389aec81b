import type { ByteWriter } from '@quorate/kernel';
import { Result } from './lock-flags.js';
import type { Lockspace, LockspaceHost } from './lockspace.js';
import { Command } from './packet-header.js';
import {
  beginRcom,
  endRcom,
  type Rcom,
  RcomType,
  writeLock,
  writeLockReply,
  writeNames,
  writeStatus,
  writeStatusReply,
} from './rcom.js';
import { packRcomLock } from './recover-locks.js';
import { slotsOf } from './recover-members.js';
import type { Lkb, Rsb } from './resource.js';

// Recovery messages as they go out. Source: Linux fs/dlm/rcom.c; the functions keep their names.

function begin(ls: Lockspace, type: number, id: number, request?: Rcom, result = 0): ByteWriter {
  const { host, globalId, recoverSeq: seq } = ls;
  const seqReply = request?.seq ?? 0;
  return beginRcom(host.rcomWriter, host.version, globalId, host.nodeid, { type, result, id, seq, seqReply });
}

function sendNumbered(ls: Lockspace, to: number, writer: ByteWriter): void {
  ls.host.midcomms.send(to, endRcom(writer), Command.RCOM);
}

/** Gives the id that the reply has to carry. */
export function sendRcomStatus(ls: Lockspace, to: number, flags: number): void {
  ls.rcomId += 1;
  const writer = begin(ls, RcomType.STATUS, ls.rcomId);
  writeStatus(writer, flags);
  ls.host.midcomms.sendBare(to, endRcom(writer));
}

export function sendStatusReply(ls: Lockspace, to: number, request: Rcom, wantsSlots: boolean): void {
  const writer = begin(ls, RcomType.STATUS_REPLY, request.id, request, ls.recoverStatus);
  writeStatusReply(writer, {
    lvblen: ls.lvbLength,
    lsflags: 0,
    flags: 0,
    ourSlot: ls.slot,
    generation: ls.generation,
    slots: wantsSlots ? slotsOf(ls) : [],
  });
  ls.host.midcomms.sendBare(to, endRcom(writer));
}

/** Asks for the names after `last` that the node masters and whose directory node we are. */
export function sendRcomNames(ls: Lockspace, to: number, last: string): void {
  ls.rcomId += 1;
  const writer = begin(ls, RcomType.NAMES, ls.rcomId);
  for (let i = 0; i < last.length; i++) writer.u8(last.charCodeAt(i));
  ls.host.midcomms.sendBare(to, endRcom(writer));
}

export function sendNamesReply(ls: Lockspace, to: number, request: Rcom, names: readonly string[], from: number): void {
  const writer = begin(ls, RcomType.NAMES_REPLY, request.id, request);
  writeNames(writer, names, from);
  ls.host.midcomms.sendBare(to, endRcom(writer));
}

export function sendRcomLookup(ls: Lockspace, to: number, name: string, id: number): void {
  const writer = begin(ls, RcomType.LOOKUP, id);
  for (let i = 0; i < name.length; i++) writer.u8(name.charCodeAt(i));
  sendNumbered(ls, to, writer);
}

export function sendLookupReply(ls: Lockspace, to: number, request: Rcom, master: number): void {
  sendNumbered(ls, to, begin(ls, RcomType.LOOKUP_REPLY, request.id, request, master));
}

export function sendRcomLock(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  const writer = begin(ls, RcomType.LOCK, lkb.lkid);
  writeLock(writer, packRcomLock(r, lkb));
  sendNumbered(ls, lkb.nodeid, writer);
}

export function sendLockReply(ls: Lockspace, to: number, request: Rcom, lkid: number, result: number): void {
  const writer = begin(ls, RcomType.LOCK_REPLY, request.id, request);
  writeLockReply(writer, request.body, lkid, 0 - result);
  sendNumbered(ls, to, writer);
}

/** To a node that recovers a lockspace which we do not have (yet): `dlm_send_ls_not_ready`. */
export function sendNotReady(host: LockspaceHost, globalId: number, to: number, request: Rcom): void {
  const writer = beginRcom(host.rcomWriter, host.version, globalId, host.nodeid, {
    type: RcomType.STATUS_REPLY,
    result: -Result.ESRCH,
    id: request.id,
    seq: 0,
    seqReply: request.seq,
  });
  writeStatusReply(writer, { lvblen: 0xffffffff, lsflags: 0, flags: 0, ourSlot: 0, generation: 0, slots: [] });
  host.midcomms.sendBare(to, endRcom(writer));
}
