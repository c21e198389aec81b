import { type ByteWriter, setU64, viewOf } from '@quorate/kernel';
import type { NodeId, RingId } from '../ring-id.js';
import { encodeHeader, type Header, MessageType, type RejectReason } from './header.js';
import { decodeRingId, encodeRingId } from './ring-id-field.js';

export const MCAST_HEADER_BYTES = 45;

/** Values of `guarantee`. */
export const Guarantee = { agreed: 0, safe: 1 } as const;

/**
 * An ordered message. 45 bytes and the payload.
 *
 * offset size field
 *      0   13 header        encapsulated 2: the payload is totempg's; 1: it is an MCAST of the old ring, whole
 *     13    4 system_from   originator
 *     17    4 seq           its place in the ring's order, from 1
 *     21    4 this_seqno    originator's running count from 0, over all rings
 *     25   12 ring id
 *     37    4 node_id       always 0
 *     41    4 guarantee     0 agreed; 1 safe, which corosync neither sends nor looks at
 *     45      payload
 *
 * A retransmission is the same bytes again, whoever sends it.
 *
 * Source: corosync exec/totemsrp.c, `struct mcast`.
 */
export interface Mcast {
  readonly nodeId: NodeId;
  /** Byte order of the originator, which the payload's own fields have too. */
  readonly littleEndian: boolean;
  readonly encapsulated: number;
  readonly systemFrom: NodeId;
  readonly seq: number;
  readonly thisSeqno: number;
  readonly ring: RingId;
  readonly guarantee: number;
  /** Aliases the datagram. */
  readonly payload: Uint8Array;
}

export function decodeMcast(bytes: Uint8Array, view: DataView, header: Header): Mcast | RejectReason {
  if (view.byteLength < MCAST_HEADER_BYTES) return 'too-short';
  const le = header.littleEndian;
  return {
    nodeId: header.nodeId,
    littleEndian: le,
    encapsulated: header.encapsulated,
    systemFrom: view.getUint32(13, le),
    seq: view.getUint32(17, le),
    thisSeqno: view.getInt32(21, le),
    ring: decodeRingId(view, 25, le),
    guarantee: view.getInt32(41, le),
    payload: bytes.subarray(MCAST_HEADER_BYTES),
  };
}

export function encodeMcast(to: ByteWriter, mcast: Mcast): void {
  encodeHeader(to.reset(), MessageType.mcast, mcast.encapsulated, mcast.nodeId).u32(mcast.systemFrom);
  to.u32(mcast.seq).u32(mcast.thisSeqno);
  encodeRingId(to, mcast.ring).u32(0).u32(mcast.guarantee).raw(mcast.payload);
}

/** Adds the fields that a queued packet gets only when the token lets it go: its place and its ring. */
export function stampMcast(packet: Uint8Array, seq: number, thisSeqno: number, ring: RingId): void {
  const view = viewOf(packet);
  view.setUint32(17, seq, true);
  view.setInt32(21, thisSeqno, true);
  view.setUint32(25, ring.representative, true);
  setU64(view, 29, ring.seq, true);
}

/** A packet for a queue: a header still without place and ring, and a copy of the payload. */
export function unplacedMcast(
  to: ByteWriter,
  me: NodeId,
  encapsulated: number,
  payload: Uint8Array,
  guarantee: number = Guarantee.agreed,
): Uint8Array {
  encodeHeader(to.reset(), MessageType.mcast, encapsulated, me)
    .u32(me)
    .zeros(MCAST_HEADER_BYTES - 21)
    .u32(guarantee)
    .raw(payload);
  return to.bytes().slice();
}

/** Whether a packet of a queue is to be delivered safe. */
export function isSafePacket(packet: Uint8Array): boolean {
  return viewOf(packet).getInt32(41, true) === Guarantee.safe;
}
