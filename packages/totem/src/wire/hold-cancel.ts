import type { ByteWriter } from '@quorate/kernel';
import type { NodeId, RingId } from '../ring-id.js';
import { encodeHeader, type Header, MessageType, type RejectReason } from './header.js';
import { decodeRingId, encodeRingId } from './ring-id-field.js';

const HOLD_CANCEL_BYTES = 25;

/**
 * Asks the representative to let go of an idle token. 25 bytes.
 *
 * offset size field
 *      0   13 header
 *     13   12 ring id
 *
 * Source: corosync exec/totemsrp.c, `struct token_hold_cancel`.
 */
export interface HoldCancel {
  readonly nodeId: NodeId;
  readonly ring: RingId;
}

export function decodeHoldCancel(view: DataView, header: Header): HoldCancel | RejectReason {
  if (view.byteLength < HOLD_CANCEL_BYTES) return 'too-short';
  return { nodeId: header.nodeId, ring: decodeRingId(view, 13, header.littleEndian) };
}

export function encodeHoldCancel(to: ByteWriter, cancel: HoldCancel): void {
  encodeHeader(to.reset(), MessageType.holdCancel, 0, cancel.nodeId);
  encodeRingId(to, cancel.ring);
}
