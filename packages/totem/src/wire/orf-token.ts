import type { ByteWriter } from '@quorate/kernel';
import type { NodeId, RingId } from '../ring-id.js';
import { encodeHeader, type Header, MessageType, type RejectReason, RING_ID_BYTES } from './header.js';
import { decodeRingId, encodeRingId } from './ring-id-field.js';

/** Most requests a token carries, `RETRANSMIT_ENTRIES_MAX`. */
export const MAX_RTR_ENTRIES = 30;

const FIXED_BYTES = 57;
const RTR_ENTRY_BYTES = RING_ID_BYTES + 4;

/** A message that somebody misses. */
export interface RtrEntry {
  readonly ring: RingId;
  readonly seq: number;
}

/**
 * The ordering token. 57 bytes and 16 for each request.
 *
 * offset size field
 *      0   13 header
 *     13    4 seq                highest sequence number assigned
 *     17    4 token_seq          one more with every hop
 *     21    4 aru                all of 1..aru is held by everybody
 *     25    4 aru_addr           node that lowered aru; 0 none
 *     29   12 ring id
 *     41    4 backlog            sum of the lengths of the queues to be sent
 *     45    4 fcc                packets sent in the last rotation
 *     49    4 retrans_flg        somebody has old messages to send again
 *     53    4 rtr_list_entries   0..30
 *     57   16 each: ring id, u32 seq
 *
 * Source: corosync exec/totemsrp.c, `struct orf_token`. A holder changes it in place before it sends it on.
 */
export interface OrfToken {
  nodeId: NodeId;
  seq: number;
  tokenSeq: number;
  aru: number;
  aruAddr: NodeId;
  readonly ring: RingId;
  backlog: number;
  fcc: number;
  retransFlg: number;
  rtr: RtrEntry[];
}

export function decodeOrfToken(view: DataView, header: Header): OrfToken | RejectReason {
  if (view.byteLength < FIXED_BYTES) return 'too-short';
  const le = header.littleEndian;
  const entries = view.getUint32(53, le);
  if (entries > MAX_RTR_ENTRIES) return 'bad-count';
  if (view.byteLength < FIXED_BYTES + entries * RTR_ENTRY_BYTES) return 'too-short';
  const rtr: RtrEntry[] = [];
  for (let i = 0, at = FIXED_BYTES; i < entries; i++, at += RTR_ENTRY_BYTES) {
    rtr.push({ ring: decodeRingId(view, at, le), seq: view.getUint32(at + RING_ID_BYTES, le) });
  }
  return {
    nodeId: header.nodeId,
    seq: view.getUint32(13, le),
    tokenSeq: view.getUint32(17, le),
    aru: view.getUint32(21, le),
    aruAddr: view.getUint32(25, le),
    ring: decodeRingId(view, 29, le),
    backlog: view.getUint32(41, le),
    fcc: view.getUint32(45, le),
    retransFlg: view.getInt32(49, le),
    rtr,
  };
}

export function encodeOrfToken(to: ByteWriter, token: OrfToken): void {
  encodeHeader(to.reset(), MessageType.orfToken, 0, token.nodeId);
  to.u32(token.seq).u32(token.tokenSeq).u32(token.aru).u32(token.aruAddr);
  encodeRingId(to, token.ring).u32(token.backlog).u32(token.fcc).u32(token.retransFlg).u32(token.rtr.length);
  for (const entry of token.rtr) encodeRingId(to, entry.ring).u32(entry.seq);
}
