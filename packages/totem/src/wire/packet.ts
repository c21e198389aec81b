import { type ByteWriter, viewOf } from '@quorate/kernel';
import { type CommitToken, decodeCommitToken, encodeCommitToken } from './commit-token.js';
import { decodeHeader, MessageType, type RejectReason } from './header.js';
import { decodeHoldCancel, encodeHoldCancel, type HoldCancel } from './hold-cancel.js';
import { decodeJoin, encodeJoin, type Join } from './join.js';
import { decodeMcast, encodeMcast, type Mcast } from './mcast.js';
import { decodeMergeDetect, encodeMergeDetect, type MergeDetect } from './merge-detect.js';
import { decodeOrfToken, encodeOrfToken, type OrfToken } from './orf-token.js';

/** Any message of totemsrp. */
export type Packet =
  | { readonly kind: 'orf-token'; readonly body: OrfToken }
  | { readonly kind: 'mcast'; readonly body: Mcast }
  | { readonly kind: 'merge-detect'; readonly body: MergeDetect }
  | { readonly kind: 'join'; readonly body: Join }
  | { readonly kind: 'commit-token'; readonly body: CommitToken }
  | { readonly kind: 'hold-cancel'; readonly body: HoldCancel };

/**
 * Reads one datagram, whatever byte order its sender has; a `RejectReason` if it is not one.
 *
 * Bytes behind the message are ignored, as corosync ignores them. The payload of an MCAST aliases `bytes`.
 */
export function decodePacket(bytes: Uint8Array): Packet | RejectReason {
  const view = viewOf(bytes);
  const header = decodeHeader(view);
  if (typeof header === 'string') return header;
  switch (header.type) {
    case MessageType.orfToken:
      return packet('orf-token', decodeOrfToken(view, header));
    case MessageType.mcast:
      return packet('mcast', decodeMcast(bytes, view, header));
    case MessageType.mergeDetect:
      return packet('merge-detect', decodeMergeDetect(view, header));
    case MessageType.join:
      return packet('join', decodeJoin(view, header));
    case MessageType.commitToken:
      return packet('commit-token', decodeCommitToken(view, header));
    default:
      return packet('hold-cancel', decodeHoldCancel(view, header));
  }
}

function packet<K extends Packet['kind']>(
  kind: K,
  body: Extract<Packet, { kind: K }>['body'] | RejectReason,
): Packet | RejectReason {
  return typeof body === 'string' ? body : ({ kind, body } as Packet);
}

/** Writes a message from the start of `to`, in the byte order of `to`. */
export function encodePacket(to: ByteWriter, { kind, body }: Packet): void {
  switch (kind) {
    case 'orf-token':
      return encodeOrfToken(to, body);
    case 'mcast':
      return encodeMcast(to, body);
    case 'merge-detect':
      return encodeMergeDetect(to, body);
    case 'join':
      return encodeJoin(to, body);
    case 'commit-token':
      return encodeCommitToken(to, body);
    case 'hold-cancel':
      return encodeHoldCancel(to, body);
  }
}
