import { type ByteWriter, getU64 } from '@quorate/kernel';
import type { NodeId } from '../ring-id.js';
import { encodeHeader, type Header, MAX_MEMBERS, MAX_RING_SEQ, MessageType, type RejectReason } from './header.js';

const FIXED_BYTES = 33;

/**
 * What its sender believes about the membership. 33 bytes and 4 for each id.
 *
 * offset size field
 *      0   13 header                nodeid 0 makes it a leave
 *     13    4 system_from           sender
 *     17    4 proc_list_entries
 *     21    4 failed_list_entries
 *     25    8 ring_seq              of the ring the sender is in, or was in last
 *     33      proc list, then failed list: u32 each, in the order in which they became known
 *
 * Source: corosync exec/totemsrp.c, `struct memb_join`.
 */
export interface Join {
  /** 0 in a leave (`LEAVE_DUMMY_NODEID`). */
  readonly nodeId: NodeId;
  readonly systemFrom: NodeId;
  readonly ringSeq: number;
  readonly proc: readonly NodeId[];
  readonly failed: readonly NodeId[];
}

export function decodeJoin(view: DataView, header: Header): Join | RejectReason {
  if (view.byteLength < FIXED_BYTES) return 'too-short';
  const le = header.littleEndian;
  const procEntries = view.getUint32(17, le);
  const failedEntries = view.getUint32(21, le);
  if (procEntries > MAX_MEMBERS || failedEntries > MAX_MEMBERS) return 'bad-count';
  if (view.byteLength < FIXED_BYTES + 4 * (procEntries + failedEntries)) return 'too-short';
  const ringSeq = getU64(view, 25, le);
  if (ringSeq > MAX_RING_SEQ) return 'bad-ring-seq';
  return {
    nodeId: header.nodeId,
    systemFrom: view.getUint32(13, le),
    ringSeq,
    proc: decodeIds(view, FIXED_BYTES, procEntries, le),
    failed: decodeIds(view, FIXED_BYTES + 4 * procEntries, failedEntries, le),
  };
}

export function encodeJoin(to: ByteWriter, join: Join): void {
  encodeHeader(to.reset(), MessageType.join, 0, join.nodeId);
  to.u32(join.systemFrom).u32(join.proc.length).u32(join.failed.length).u64(join.ringSeq);
  for (const id of join.proc) to.u32(id);
  for (const id of join.failed) to.u32(id);
}

/** A run of `count` node ids. */
export function decodeIds(view: DataView, offset: number, count: number, littleEndian: boolean): NodeId[] {
  const ids: NodeId[] = [];
  for (let i = 0; i < count; i++) ids.push(view.getUint32(offset + 4 * i, littleEndian));
  return ids;
}
