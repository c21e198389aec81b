import type { ByteWriter } from '@quorate/kernel';
import type { NodeId, RingId } from '../ring-id.js';
import {
  encodeHeader,
  type Header,
  MAX_MEMBERS,
  MAX_RING_SEQ,
  MessageType,
  type RejectReason,
  RING_ID_BYTES,
} from './header.js';
import { decodeIds } from './join.js';
import { decodeRingId, encodeRingId } from './ring-id-field.js';

const FIXED_BYTES = 41;
const ENTRY_BYTES = RING_ID_BYTES + 12;

/** What one member of the ring to be says about the ring it comes from. */
export interface MemberEntry {
  /** Its old ring. */
  ring: RingId;
  aru: number;
  highDelivered: number;
  /** 0: it misses messages of the old ring that another one holds. */
  receivedFlg: number;
}

/**
 * The token that forms a ring. 41 bytes and 28 for each member. It goes round twice.
 *
 * offset   size field
 *      0     13 header
 *     13      4 token_seq
 *     17     12 ring id        of the new ring
 *     29      4 retrans_flg    always 0
 *     33      4 memb_index     entries filled so far
 *     37      4 addr_entries   n
 *     41     4n addresses      in ring order
 *  41+4n    24n each: ring id of its old ring, u32 aru, u32 high_delivered, u32 received_flg; zero until filled
 *
 * Source: corosync exec/totemsrp.c, `struct memb_commit_token`. A receiver fills its entry before it sends it on.
 */
export interface CommitToken {
  nodeId: NodeId;
  tokenSeq: number;
  readonly ring: RingId;
  membIndex: number;
  readonly addresses: readonly NodeId[];
  readonly entries: readonly MemberEntry[];
}

export function decodeCommitToken(view: DataView, header: Header): CommitToken | RejectReason {
  if (view.byteLength < FIXED_BYTES) return 'too-short';
  const le = header.littleEndian;
  const membIndex = view.getUint32(33, le);
  const count = view.getUint32(37, le);
  if (count === 0 || count > MAX_MEMBERS || membIndex > count) return 'bad-count';
  if (view.byteLength < FIXED_BYTES + count * (4 + ENTRY_BYTES)) return 'too-short';
  const ring = decodeRingId(view, 17, le);
  if (ring.seq > MAX_RING_SEQ) return 'bad-ring-seq';
  const entries: MemberEntry[] = [];
  for (let i = 0, at = FIXED_BYTES + 4 * count; i < count; i++, at += ENTRY_BYTES) {
    entries.push({
      ring: decodeRingId(view, at, le),
      aru: view.getUint32(at + 12, le),
      highDelivered: view.getUint32(at + 16, le),
      receivedFlg: view.getUint32(at + 20, le),
    });
  }
  return {
    nodeId: header.nodeId,
    tokenSeq: view.getUint32(13, le),
    ring,
    membIndex,
    addresses: decodeIds(view, FIXED_BYTES, count, le),
    entries,
  };
}

export function encodeCommitToken(to: ByteWriter, token: CommitToken): void {
  encodeHeader(to.reset(), MessageType.commitToken, 0, token.nodeId).u32(token.tokenSeq);
  encodeRingId(to, token.ring).u32(0).u32(token.membIndex).u32(token.addresses.length);
  for (const id of token.addresses) to.u32(id);
  for (const entry of token.entries) {
    encodeRingId(to, entry.ring).u32(entry.aru).u32(entry.highDelivered).u32(entry.receivedFlg);
  }
}
