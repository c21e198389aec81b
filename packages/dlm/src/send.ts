import { assert } from '@quorate/kernel';
import { jhash } from './hash.js';
import { LockFlag } from './lock-flags.js';
import type { Lockspace } from './lockspace.js';
import { Asts, type Message, MessageType } from './message.js';
import { Command } from './packet-header.js';
import type { Lkb, Rsb } from './resource.js';
import { addToWaiters } from './waiters.js';

/**
 * Fills in what every message about a lock tells.
 *
 * Source: Linux fs/dlm/lock.c, `send_args`.
 */
function lockMessage(ls: Lockspace, r: Rsb, lkb: Lkb, type: number): Message {
  const m = ls.host.message.reset(type);
  m.nodeid = lkb.nodeid;
  m.lkid = lkb.lkid;
  m.remid = lkb.remid;
  m.exflags = lkb.exflags;
  m.sbflags = lkb.sbflags;
  m.flags = lkb.flags;
  m.lvbseq = lkb.lvbseq;
  m.hash = r.hash;
  m.status = lkb.status;
  m.grmode = lkb.grmode;
  m.rqmode = lkb.rqmode;
  m.asts = lkb.hasBast ? Asts.CAST | Asts.BAST : Asts.CAST;
  return m;
}

/** Room for the value block if the lock has a buffer; filled only if the operation carries VALBLK. */
function withValueBlock(ls: Lockspace, lkb: Lkb, m: Message): Message {
  if (lkb.lvb === undefined) return m;
  return m.carry((lkb.exflags & LockFlag.VALBLK) !== 0 ? lkb.lvb : ls.zeroLvb);
}

function sendMessage(ls: Lockspace, to: number, m: Message, name?: string): void {
  const { host } = ls;
  const packet = host.messageWriter.write(host.version, ls.globalId, host.nodeid, m, name);
  host.midcomms.send(to, packet, Command.MSG);
}

/**
 * REQUEST, CONVERT, UNLOCK or CANCEL to the master (`send_common`). Gives EINVAL or EBUSY if what is in flight already
 * does not allow it, otherwise 0.
 */
export function sendCommon(ls: Lockspace, r: Rsb, lkb: Lkb, type: number): number {
  const error = addToWaiters(ls, lkb, type, lkb.nodeid);
  if (error !== 0) return error;
  const m = lockMessage(ls, r, lkb, type);
  if (type === MessageType.REQUEST) sendMessage(ls, lkb.nodeid, m, r.name);
  else if (type === MessageType.CANCEL) sendMessage(ls, lkb.nodeid, m);
  else sendMessage(ls, lkb.nodeid, withValueBlock(ls, lkb, m));
  return 0;
}

/** Asks the directory node who the master is. */
export function sendLookup(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  const error = addToWaiters(ls, lkb, MessageType.LOOKUP, r.dirNodeid);
  assert(error === 0, `lock ${lkb.lkid} looks ${r.name} up while another operation is in flight`);
  sendMessage(ls, r.dirNodeid, lockMessage(ls, r, lkb, MessageType.LOOKUP), r.name);
}

/** Tells the directory node that we give the resource up. */
export function sendRemove(ls: Lockspace, r: Rsb): void {
  const m = ls.host.message.reset(MessageType.REMOVE);
  m.hash = r.hash;
  sendMessage(ls, r.dirNodeid, m, r.name);
}

/** Asks another node to drop orphans of its own (`send_purge`). Nothing comes back. */
export function sendPurge(ls: Lockspace, to: number, process: number): void {
  const m = ls.host.message.reset(MessageType.PURGE);
  m.nodeid = to;
  m.pid = process;
  sendMessage(ls, to, m);
}

/**
 * Tells the directory node once more that we have given a resource up that another node still takes us for the master of.
 *
 * Its record can be one that it kept over a recovery in which we dropped ours (`send_repeat_remove`).
 */
export function sendRepeatRemove(ls: Lockspace, name: string): void {
  const m = ls.host.message.reset(MessageType.REMOVE);
  m.hash = jhash(name);
  sendMessage(ls, ls.hash2nodeid(m.hash), m, name);
}

/** The reply to an owner's request, conversion, unlock or cancel (`send_common_reply`). */
export function sendReply(ls: Lockspace, r: Rsb, lkb: Lkb, type: number, result: number): void {
  const m = lockMessage(ls, r, lkb, type);
  m.result = 0 - result;
  const hasRoom = type === MessageType.REQUEST_REPLY || type === MessageType.CONVERT_REPLY;
  sendMessage(ls, lkb.nodeid, hasRoom ? withValueBlock(ls, lkb, m) : m);
}

/** The reply to a message that names no lock or resource of ours: it goes back by the id that it came with. */
export function sendFailure(ls: Lockspace, to: number, remid: number, type: number, result: number): void {
  const m = ls.host.message.reset(type);
  m.nodeid = to;
  m.remid = remid;
  m.result = 0 - result;
  sendMessage(ls, to, m);
}

export function sendLookupReply(ls: Lockspace, to: number, lkid: number, master: number, result: number): void {
  const m = ls.host.message.reset(MessageType.LOOKUP_REPLY);
  m.lkid = lkid;
  m.nodeid = master;
  m.result = 0 - result;
  sendMessage(ls, to, m);
}

/** A lock that waited is granted. */
export function sendGrant(ls: Lockspace, r: Rsb, lkb: Lkb): void {
  sendMessage(ls, lkb.nodeid, withValueBlock(ls, lkb, lockMessage(ls, r, lkb, MessageType.GRANT)));
}

export function sendBast(ls: Lockspace, r: Rsb, lkb: Lkb, mode: number): void {
  const m = lockMessage(ls, r, lkb, MessageType.BAST);
  m.bastmode = mode;
  sendMessage(ls, lkb.nodeid, m);
}
