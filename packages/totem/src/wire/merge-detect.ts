import type { ByteWriter } from '@quorate/kernel';
import type { NodeId, RingId } from '../ring-id.js';
import { encodeHeader, type Header, MessageType, type RejectReason } from './header.js';
import { decodeRingId, encodeRingId } from './ring-id-field.js';

const MERGE_DETECT_BYTES = 29;

/**
 * An idle ring's announcement of itself. 29 bytes.
 *
 * offset size field
 *      0   13 header
 *     13    4 system_from
 *     17   12 ring id
 *
 * Source: corosync exec/totemsrp.c, `struct memb_merge_detect`.
 */
export interface MergeDetect {
  readonly nodeId: NodeId;
  readonly systemFrom: NodeId;
  readonly ring: RingId;
}

export function decodeMergeDetect(view: DataView, header: Header): MergeDetect | RejectReason {
  if (view.byteLength < MERGE_DETECT_BYTES) return 'too-short';
  const le = header.littleEndian;
  return { nodeId: header.nodeId, systemFrom: view.getUint32(13, le), ring: decodeRingId(view, 17, le) };
}

export function encodeMergeDetect(to: ByteWriter, merge: MergeDetect): void {
  encodeHeader(to.reset(), MessageType.mergeDetect, 0, merge.nodeId).u32(merge.systemFrom);
  encodeRingId(to, merge.ring);
}
