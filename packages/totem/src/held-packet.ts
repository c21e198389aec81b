import { viewOf } from '@quorate/kernel';
import type { NodeId, RingId } from './ring-id.js';
import { Guarantee, MCAST_HEADER_BYTES, type McastHeader, stampMcast, writeUnplacedMcast } from './wire/mcast.js';

/** A packet of the ring's order, kept until everybody has it. */
export class HeldPacket {
  /** The datagram as its originator sent it: a retransmission is these bytes again. */
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly #view: DataView;
  #from: NodeId = 0;
  #systemFrom: NodeId = 0;
  #littleEndian = true;
  #isSafe = false;

  /** `length` of the whole datagram, at least that of its header. */
  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.payload = this.bytes.subarray(MCAST_HEADER_BYTES);
    this.#view = viewOf(this.bytes);
  }

  get from(): NodeId {
    return this.#from;
  }

  get systemFrom(): NodeId {
    return this.#systemFrom;
  }

  get littleEndian(): boolean {
    return this.#littleEndian;
  }

  get isSafe(): boolean {
    return this.#isSafe;
  }

  /** Becomes what came in; `datagram` has this packet's length. */
  receive(mcast: McastHeader, datagram: Uint8Array): this {
    this.bytes.set(datagram);
    this.#from = mcast.nodeId;
    this.#systemFrom = mcast.systemFrom;
    this.#littleEndian = mcast.littleEndian;
    this.#isSafe = mcast.guarantee === Guarantee.safe;
    return this;
  }

  /** Becomes a packet of this node's own, still without place and ring; the payload is copied. */
  fill(me: NodeId, encapsulated: number, payload: Uint8Array, isSafe: boolean): this {
    writeUnplacedMcast(this.#view, me, encapsulated, isSafe ? Guarantee.safe : Guarantee.agreed);
    this.payload.set(payload);
    this.#from = me;
    this.#systemFrom = me;
    this.#littleEndian = true;
    this.#isSafe = isSafe;
    return this;
  }

  /** Gives an own packet its place. */
  stamp(seq: number, thisSeqno: number, ring: RingId): void {
    stampMcast(this.#view, seq, thisSeqno, ring);
  }
}
