import { viewOf } from '@quorate/kernel';
import type { Lockspace } from './lockspace.js';
import { decodeMessage, MessageType } from './message.js';
import { receiveMessage } from './receive.js';

// Messages of locking that arrive while a lockspace recovers. Source: Linux fs/dlm/requestqueue.c.

/** Keeps a message until recovery is over. */
export function addRequestqueue(ls: Lockspace, from: number, packet: Uint8Array): void {
  ls.requestqueue.push({ from, bytes: packet.slice() });
}

/** Drops what makes no sense any more: all from nodes that are gone, and all that is about the old directory. */
export function purgeRequestqueue(ls: Lockspace): void {
  const kept = ls.requestqueue.filter(({ from, bytes }) => {
    if (ls.isRemoved(from)) return false;
    const type = viewOf(bytes).getUint32(16, true);
    return type !== MessageType.LOOKUP && type !== MessageType.LOOKUP_REPLY && type !== MessageType.REMOVE;
  });
  ls.requestqueue.splice(0, ls.requestqueue.length, ...kept);
}

export function processRequestqueue(ls: Lockspace): void {
  const { incoming } = ls.host;
  for (const { from, bytes } of ls.requestqueue.splice(0)) {
    if (decodeMessage(bytes, viewOf(bytes), incoming) !== undefined) continue;
    const reason = receiveMessage(ls, from, incoming);
    if (reason !== undefined) ls.host.emit({ kind: 'reject', from, reason });
  }
}
