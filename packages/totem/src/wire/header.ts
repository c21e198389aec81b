import type { ByteWriter } from '@quorate/kernel';
import type { NodeId } from '../ring-id.js';

/** Message types of totemsrp, `enum message_type`. */
export const MessageType = {
  orfToken: 0,
  mcast: 1,
  mergeDetect: 2,
  join: 3,
  commitToken: 4,
  holdCancel: 5,
} as const;

/** Values of the header's `encapsulated` in an MCAST; other messages have 0 there. */
export const Encapsulated = {
  /** The payload is a complete MCAST of the old ring, sent again in recovery. */
  recovery: 1,
  /** The payload is totempg's. */
  normal: 2,
} as const;

/** Why a datagram was not taken. */
export type RejectReason =
  /** Shorter than its type's fixed part, or than its counts promise. */
  | 'too-short'
  /** Neither byte order's magic: knet, another corosync, or something else altogether. */
  | 'bad-magic'
  | 'bad-version'
  | 'bad-type'
  /** A count above what the protocol allows, or an index outside its list. */
  | 'bad-count'
  /** A ring sequence of which nobody can have got to. */
  | 'bad-ring-seq'
  /** A packet of a node that is no member of its ring. */
  | 'bad-sender'
  /** A sequence number that cannot belong to this ring's window of 16384. */
  | 'out-of-window'
  /** Pieces of a packet that do not add up to it, or a message that grows beyond 1 MiB. */
  | 'bad-packing'
  /** A message whose list of groups does not fit into it. */
  | 'bad-groups';

const HEADER_BYTES = 13;
export const RING_ID_BYTES = 12;
const MAGIC = 0xc070;
const MAGIC_SWAPPED = 0x70c0;
const VERSION = 3;

/** Most members a ring can have, `PROCESSOR_COUNT_MAX`. */
export const MAX_MEMBERS = 384;

/** Rings would have to be formed for longer than there are clocks to get here; beyond 2^53 they are not exact. */
export const MAX_RING_SEQ: number = 2 ** 52;

/**
 * Header of every totemsrp message. In the sender's byte order, which the magic tells.
 *
 * offset size field
 *      0    2 magic           0xc070
 *      2    1 version         3
 *      3    1 type            0 ORF token, 1 MCAST, 2 merge detect, 3 join, 4 commit token, 5 hold cancel
 *      4    1 encapsulated    MCAST: 1 recovery, 2 normal; others 0
 *      5    4 nodeid          sender; 0 in a leave
 *      9    4 target_nodeid   of knet only: uninitialised on udp and udpu, ignored here and written as 0
 *
 * Source: corosync include/corosync/totem/totem.h, `struct totem_message_header`.
 */
export interface Header {
  readonly littleEndian: boolean;
  readonly type: number;
  readonly encapsulated: number;
  readonly nodeId: NodeId;
}

export function decodeHeader(view: DataView): Header | RejectReason {
  if (view.byteLength < HEADER_BYTES) return 'too-short';
  const magic = view.getUint16(0, true);
  if (magic !== MAGIC && magic !== MAGIC_SWAPPED) return 'bad-magic';
  if (view.getUint8(2) !== VERSION) return 'bad-version';
  const type = view.getUint8(3);
  if (type > MessageType.holdCancel) return 'bad-type';
  const littleEndian = magic === MAGIC;
  return { littleEndian, type, encapsulated: view.getUint8(4), nodeId: view.getUint32(5, littleEndian) };
}

/**
 * Whether a message of that type is little-endian; undefined if it is another type's or no message. Builds nothing, for
 * the token's way.
 */
export function byteOrderOf(bytes: Uint8Array, type: number): boolean | undefined {
  if (bytes.length < HEADER_BYTES || bytes[2] !== VERSION || bytes[3] !== type) return undefined;
  const magic = bytes[0]! | (bytes[1]! << 8);
  return magic === MAGIC ? true : magic === MAGIC_SWAPPED ? false : undefined;
}

export function encodeHeader(to: ByteWriter, type: number, encapsulated: number, nodeId: NodeId): ByteWriter {
  return to.u16(MAGIC).u8(VERSION).u8(type).u8(encapsulated).u32(nodeId).u32(0);
}

/** The same in place, in little-endian order. */
export function writeHeader(packet: DataView, type: number, encapsulated: number, nodeId: NodeId): void {
  packet.setUint16(0, MAGIC, true);
  packet.setUint8(2, VERSION);
  packet.setUint8(3, type);
  packet.setUint8(4, encapsulated);
  packet.setUint32(5, nodeId, true);
  packet.setUint32(9, 0, true);
}
