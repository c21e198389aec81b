import { type ByteWriter, getU64, viewOf } from '@quorate/kernel';
import type { NodeId, RingId } from '../ring-id.js';
import { byteOrderOf, encodeHeader, type Header, MessageType, type RejectReason, RING_ID_BYTES } from './header.js';
import { decodeRingId, encodeRingId } from './ring-id-field.js';

/** Most requests a token carries, `RETRANSMIT_ENTRIES_MAX`. */
export const MAX_RTR_ENTRIES = 30;

const FIXED_BYTES = 57;
const RTR_ENTRY_BYTES = RING_ID_BYTES + 4;

/** A message that somebody misses. */
interface RtrEntry {
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
  const token = emptyToken();
  return fillToken(token, view, view.byteLength, header.littleEndian) ?? token;
}

/** Reads tokens into one and the same object: a token's way through a node allocates nothing. */
export class OrfTokenReader {
  readonly #bytes = new Uint8Array(FIXED_BYTES + MAX_RTR_ENTRIES * RTR_ENTRY_BYTES);
  readonly #view = viewOf(this.#bytes);
  readonly #token = emptyToken();

  /** The token, until the next call; undefined if the datagram is not a proper one. */
  read(datagram: Uint8Array): OrfToken | undefined {
    const littleEndian = byteOrderOf(datagram, MessageType.orfToken);
    if (littleEndian === undefined) return undefined;
    const length = Math.min(datagram.length, this.#bytes.length);
    this.#bytes.set(datagram.length > length ? datagram.subarray(0, length) : datagram);
    return fillToken(this.#token, this.#view, length, littleEndian) === undefined ? this.#token : undefined;
  }
}

type MutableToken = OrfToken & { readonly ring: { representative: NodeId; seq: number } };

function emptyToken(): MutableToken {
  return {
    nodeId: 0,
    seq: 0,
    tokenSeq: 0,
    aru: 0,
    aruAddr: 0,
    ring: { representative: 0, seq: 0 },
    backlog: 0,
    fcc: 0,
    retransFlg: 0,
    rtr: [],
  };
}

function fillToken(token: MutableToken, view: DataView, length: number, le: boolean): RejectReason | undefined {
  if (length < FIXED_BYTES) return 'too-short';
  const entries = view.getUint32(53, le);
  if (entries > MAX_RTR_ENTRIES) return 'bad-count';
  if (length < FIXED_BYTES + entries * RTR_ENTRY_BYTES) return 'too-short';
  token.nodeId = view.getUint32(5, le);
  token.seq = view.getUint32(13, le);
  token.tokenSeq = view.getUint32(17, le);
  token.aru = view.getUint32(21, le);
  token.aruAddr = view.getUint32(25, le);
  token.ring.representative = view.getUint32(29, le);
  token.ring.seq = getU64(view, 33, le);
  token.backlog = view.getUint32(41, le);
  token.fcc = view.getUint32(45, le);
  token.retransFlg = view.getInt32(49, le);
  if (token.rtr.length > 0) token.rtr = [];
  for (let i = 0, at = FIXED_BYTES; i < entries; i++, at += RTR_ENTRY_BYTES) {
    token.rtr.push({ ring: decodeRingId(view, at, le), seq: view.getUint32(at + RING_ID_BYTES, le) });
  }
  return undefined;
}

export function encodeOrfToken(to: ByteWriter, token: OrfToken): void {
  encodeHeader(to.reset(), MessageType.orfToken, 0, token.nodeId);
  to.u32(token.seq).u32(token.tokenSeq).u32(token.aru).u32(token.aruAddr);
  encodeRingId(to, token.ring).u32(token.backlog).u32(token.fcc).u32(token.retransFlg).u32(token.rtr.length);
  for (const entry of token.rtr) encodeRingId(to, entry.ring).u32(entry.seq);
}
