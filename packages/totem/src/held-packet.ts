import type { NodeId } from './ring-id.js';
import { Guarantee, MCAST_HEADER_BYTES, type Mcast } from './wire/mcast.js';

/** A packet of the ring's order, kept until everybody has it. */
export interface HeldPacket {
  /** The datagram as its originator sent it: a retransmission is these bytes again. */
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly from: NodeId;
  readonly systemFrom: NodeId;
  readonly littleEndian: boolean;
  readonly isSafe: boolean;
}

/** `bytes` is the whole datagram, and kept. */
export function heldPacket(mcast: Mcast, bytes: Uint8Array): HeldPacket {
  return {
    bytes,
    payload: bytes.subarray(MCAST_HEADER_BYTES),
    from: mcast.nodeId,
    systemFrom: mcast.systemFrom,
    littleEndian: mcast.littleEndian,
    isSafe: mcast.guarantee === Guarantee.safe,
  };
}

/** A packet of this node's own, from the bytes that go out. */
export function ownPacket(me: NodeId, bytes: Uint8Array, isSafe: boolean): HeldPacket {
  const payload = bytes.subarray(MCAST_HEADER_BYTES);
  return { bytes, payload, from: me, systemFrom: me, littleEndian: true, isSafe };
}
