import { viewOf } from '@quorate/kernel';
import type { Lockspace, QueuedRequest } from './lockspace.js';
import { decodeMessage, MessageType } from './message.js';
import { Packet } from './packet-header.js';
import { receiveMessage } from './receive.js';

// Messages of locking that arrive while a lockspace recovers. Source: Linux fs/dlm/requestqueue.c.

/** Keeps a message until recovery is over. */
export function addRequestqueue(ls: Lockspace, from: number, packet: Packet): void {
  ls.requestqueue.push({ bytes: packet.ownBytes.slice(), from, recoverStatus: ls.recoverStatus });
  const size = ls.requestqueue.length;
  const { host, name: lockspace } = ls;
  if (!ls.requestMark.rises(size)) return;
  host.observe?.({ kind: 'dlm.queue', now: host.now, lockspace, queue: 'requests', size });
}

/**
 * Drops what a node sent that is gone. Differs from Linux, which does so at the end of recovery: if the node came back and
 * the others had finished a recovery with it that was cut short here, the requests of its new life would be lost.
 */
export function forgetRequestsOf(ls: Lockspace, nodeid: number): void {
  keepRequests(ls, ({ from }) => from !== nodeid);
}

/** Drops what is about the old directory; without one all, as every lock has moved and every operation is issued anew. */
export function purgeRequestqueue(ls: Lockspace): void {
  if (ls.isNodir) return void ls.requestqueue.splice(0);
  keepRequests(ls, ({ bytes }) => {
    const type = viewOf(bytes).getUint32(16, true);
    return type !== MessageType.LOOKUP && type !== MessageType.LOOKUP_REPLY && type !== MessageType.REMOVE;
  });
}

function keepRequests(ls: Lockspace, isKept: (request: QueuedRequest) => boolean): void {
  ls.requestqueue.splice(0, ls.requestqueue.length, ...ls.requestqueue.filter(isKept));
}

export function processRequestqueue(ls: Lockspace): void {
  const { incoming } = ls.host;
  const packet = new Packet();
  for (const { from, bytes, recoverStatus } of ls.requestqueue.splice(0)) {
    if (!packet.turnTo(bytes).decode(0, bytes.length) || decodeMessage(packet, incoming) !== undefined) continue;
    tellResumed(ls, from, incoming.type, recoverStatus);
    const reason = receiveMessage(ls, from, incoming);
    if (reason !== undefined) ls.host.emit({ kind: 'reject', from, reason });
  }
}

function tellResumed({ host, name: lockspace }: Lockspace, from: number, type: number, statusWhenSaved: number): void {
  host.observe?.({ kind: 'dlm.message-resumed', now: host.now, lockspace, from, type, statusWhenSaved });
}
