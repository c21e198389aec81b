import { Result } from './lock-flags.js';
import type { Lockspace, LockspaceHost } from './lockspace.js';
import { Command } from './packet-header.js';
import {
  RCOM_BYTES,
  type Rcom,
  RcomType,
  type RcomWriter,
  type StatusReply,
  writeName,
  writeNames,
  writeStatus,
  writeStatusReply,
} from './rcom.js';
import { packRcomLock, writeLockReply } from './rcom-lock.js';
import { slotsOf } from './recover-members.js';
import type { Lkb } from './resource.js';

// Recovery messages as they go out. Source: Linux fs/dlm/rcom.c; the functions keep their names.

/** Gives where the body is to be written. */
function begin(ls: Lockspace, type: number, id: number, request?: Rcom, result = 0): RcomWriter {
  const seqReply = request === undefined ? 0 : request.seq;
  return ls.host.rcomWriter.begin(type, result, id, ls.recoverSeq, seqReply);
}

function end({ host, globalId }: Lockspace, bodyLength: number): Uint8Array {
  return host.rcomWriter.end(host.version, globalId, host.nodeid, bodyLength);
}

function sendNumbered(ls: Lockspace, to: number, bodyLength: number): void {
  ls.host.midcomms.send(to, end(ls, bodyLength), Command.RCOM);
}

function sendBare(ls: Lockspace, to: number, bodyLength: number): void {
  ls.host.midcomms.sendBare(to, end(ls, bodyLength));
}

export function sendRcomStatus(ls: Lockspace, to: number, flags: number): void {
  ls.rcomId += 1;
  const writer = begin(ls, RcomType.STATUS, ls.rcomId);
  sendBare(ls, to, writeStatus(writer, flags));
}

export function sendStatusReply(ls: Lockspace, to: number, request: Rcom, wantsSlots: boolean): void {
  const writer = begin(ls, RcomType.STATUS_REPLY, request.id, request, ls.recoverStatus);
  const slots = wantsSlots ? slotsOf(ls) : [];
  const { lvbLength: lvblen, slot: ourSlot, generation } = ls;
  sendBare(ls, to, writeStatusReply(writer, { lvblen, lsflags: 0, flags: 0, ourSlot, generation, slots }));
}

/** Asks for the names after `last` that the node masters and whose directory node we are. */
export function sendRcomNames(ls: Lockspace, to: number, last: string): void {
  ls.rcomId += 1;
  const writer = begin(ls, RcomType.NAMES, ls.rcomId);
  sendBare(ls, to, writeName(writer.bytes, RCOM_BYTES, last));
}

export function sendNamesReply(ls: Lockspace, to: number, request: Rcom, names: readonly string[], from: number): void {
  const writer = begin(ls, RcomType.NAMES_REPLY, request.id, request);
  sendBare(ls, to, writeNames(writer, names, from));
}

export function sendRcomLookup(ls: Lockspace, to: number, name: string, id: number): void {
  const writer = begin(ls, RcomType.LOOKUP, id);
  sendNumbered(ls, to, writeName(writer.bytes, RCOM_BYTES, name));
}

export function sendLookupReply(ls: Lockspace, to: number, request: Rcom, master: number): void {
  begin(ls, RcomType.LOOKUP_REPLY, request.id, request, master);
  sendNumbered(ls, to, 0);
}

export function sendRcomLock(ls: Lockspace, lkb: Lkb): void {
  const writer = begin(ls, RcomType.LOCK, lkb.lkid);
  sendNumbered(ls, lkb.nodeid, packRcomLock(writer, lkb));
}

export function sendLockReply(ls: Lockspace, to: number, request: Rcom, lkid: number, result: number): void {
  const writer = begin(ls, RcomType.LOCK_REPLY, request.id, request);
  sendNumbered(ls, to, writeLockReply(writer, request, lkid, 0 - result));
}

/** What we say of a lockspace that we do not know. */
const NOT_READY: StatusReply = { lvblen: 0xffffffff, lsflags: 0, flags: 0, ourSlot: 0, generation: 0, slots: [] };

/** To a node that recovers a lockspace which we do not have (yet): `dlm_send_ls_not_ready`. */
export function sendNotReady(host: LockspaceHost, globalId: number, to: number, request: Rcom): void {
  const writer = host.rcomWriter.begin(RcomType.STATUS_REPLY, -Result.ESRCH, request.id, 0, request.seq);
  const bodyLength = writeStatusReply(writer, NOT_READY);
  host.midcomms.sendBare(to, host.rcomWriter.end(host.version, globalId, host.nodeid, bodyLength));
}
