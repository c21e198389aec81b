import { type ByteWriter, getU64, setU64, viewOf } from '@quorate/kernel';
import type { NodeId, RingId } from '../ring-id.js';
import { byteOrderOf, encodeHeader, type Header, MessageType, type RejectReason, writeHeader } from './header.js';
import { encodeRingId } from './ring-id-field.js';

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
export interface McastHeader {
  readonly nodeId: NodeId;
  /** Byte order of the originator, which the payload's own fields have too. */
  readonly littleEndian: boolean;
  readonly encapsulated: number;
  readonly systemFrom: NodeId;
  readonly seq: number;
  readonly thisSeqno: number;
  readonly ring: RingId;
  readonly guarantee: number;
}

export interface Mcast extends McastHeader {
  /** Aliases the datagram. */
  readonly payload: Uint8Array;
}

export function decodeMcast(bytes: Uint8Array, view: DataView, header: Header): Mcast | RejectReason {
  if (view.byteLength < MCAST_HEADER_BYTES) return 'too-short';
  return { ...filled(emptyHeader(), view, header.littleEndian), payload: bytes.subarray(MCAST_HEADER_BYTES) };
}

export function encodeMcast(to: ByteWriter, mcast: Mcast): void {
  encodeHeader(to.reset(), MessageType.mcast, mcast.encapsulated, mcast.nodeId).u32(mcast.systemFrom);
  to.u32(mcast.seq).u32(mcast.thisSeqno);
  encodeRingId(to, mcast.ring).u32(0).u32(mcast.guarantee).raw(mcast.payload);
}

type MutableHeader = { -readonly [K in keyof McastHeader]: McastHeader[K] } & {
  readonly ring: { representative: NodeId; seq: number };
};

/** Reads headers into one and the same object: a packet's way through a node allocates nothing. */
export class McastReader {
  readonly #bytes = new Uint8Array(MCAST_HEADER_BYTES);
  readonly #view = viewOf(this.#bytes);
  readonly #header = emptyHeader();

  /** The header, until the next call; undefined if the datagram is not a proper MCAST. */
  read(datagram: Uint8Array): McastHeader | undefined {
    const littleEndian = byteOrderOf(datagram, MessageType.mcast);
    if (littleEndian === undefined || datagram.length < MCAST_HEADER_BYTES) return undefined;
    for (let i = 0; i < MCAST_HEADER_BYTES; i++) this.#bytes[i] = datagram[i]!;
    return filled(this.#header, this.#view, littleEndian);
  }
}

function emptyHeader(): MutableHeader {
  return {
    nodeId: 0,
    littleEndian: true,
    encapsulated: 0,
    systemFrom: 0,
    seq: 0,
    thisSeqno: 0,
    ring: { representative: 0, seq: 0 },
    guarantee: 0,
  };
}

function filled(header: MutableHeader, view: DataView, littleEndian: boolean): McastHeader {
  header.nodeId = view.getUint32(5, littleEndian);
  header.littleEndian = littleEndian;
  header.encapsulated = view.getUint8(4);
  header.systemFrom = view.getUint32(13, littleEndian);
  header.seq = view.getUint32(17, littleEndian);
  header.thisSeqno = view.getInt32(21, littleEndian);
  header.ring.representative = view.getUint32(25, littleEndian);
  header.ring.seq = getU64(view, 29, littleEndian);
  header.guarantee = view.getInt32(41, littleEndian);
  return header;
}

/** Adds the fields that a queued packet gets only when the token lets it go: its place and its ring. */
export function stampMcast(packet: DataView, seq: number, thisSeqno: number, ring: RingId): void {
  packet.setUint32(17, seq, true);
  packet.setInt32(21, thisSeqno, true);
  packet.setUint32(25, ring.representative, true);
  setU64(packet, 29, ring.seq, true);
}

/** Writes the header of a packet for a queue, still without place and ring. */
export function writeUnplacedMcast(packet: DataView, me: NodeId, encapsulated: number, guarantee: number): void {
  writeHeader(packet, MessageType.mcast, encapsulated, me);
  packet.setUint32(13, me, true);
  for (let at = 17; at < 41; at += 4) packet.setUint32(at, 0, true);
  packet.setInt32(41, guarantee, true);
}
