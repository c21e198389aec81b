import { type ByteWriter, getU64 } from '@quorate/kernel';
import type { RingId } from '../ring-id.js';

/**
 * A ring id inside a message.
 *
 * offset size field
 *      0    4 rep
 *      4    8 seq
 *
 * Source: corosync include/corosync/totem/totem.h, `struct memb_ring_id`.
 */
export function decodeRingId(view: DataView, offset: number, littleEndian: boolean): RingId {
  return { representative: view.getUint32(offset, littleEndian), seq: getU64(view, offset + 4, littleEndian) };
}

export function encodeRingId(to: ByteWriter, ring: RingId): ByteWriter {
  return to.u32(ring.representative).u64(ring.seq);
}
