import { type ByteWriter, viewOf } from '@quorate/kernel';
import type { NodeId } from '../cluster-node.js';

const HEADER_BYTES = 16;
const NODEINFO = 0x5_0000;
const RECONFIGURE = 0x5_0001;
const MESSAGE_BYTES = 32;

/** What a node says of itself in `NodeInfo`, as bits. */
export const NodeInfoFlag = {
  quorate: 1,
  leaving: 2,
  /** It waits for all nodes. */
  waitForAll: 4,
  /** It has not seen another node yet. */
  first: 8,
  deviceRegistered: 16,
  deviceAlive: 32,
  deviceCastVote: 64,
  deviceMasterWins: 128,
} as const;

/** A node's votes; of node 0, the votes of the quorum device. */
export interface NodeInfo {
  readonly kind: 'node-info';
  readonly node: NodeId;
  readonly votes: number;
  readonly expectedVotes: number;
  readonly flags: number;
}

/** An administrator's change, on all nodes. */
export interface Reconfigure {
  readonly kind: 'reconfigure';
  readonly param: 'expected-votes' | 'node-votes' | 'cancel-wait-for-all';
  readonly node: NodeId;
  readonly value: number;
}

/** `VOTEQUORUM_RECONFIG_PARAM_*`, from 1. */
const PARAMS: readonly Reconfigure['param'][] = ['expected-votes', 'node-votes', 'cancel-wait-for-all'];

/**
 * Reads a message of service 5 in group `a`; undefined if it is another one's, malformed, or of a quorum device.
 *
 * offset size field
 *      0    4 id       0x50000 node info, 0x50001 reconfigure
 *      4    4 –
 *      8    4 size     32; tells the byte order
 *     12    4 –
 *     16    4 node id
 *     20    4 votes           reconfigure: value
 *     24    4 expected votes  reconfigure: u8 param, 3 –
 *     28    4 flags           reconfigure: –
 *
 * Source: corosync exec/votequorum.c, `struct req_exec_quorum_nodeinfo` and `req_exec_quorum_reconfigure`.
 */
export function decodeVotequorumMessage(bytes: Uint8Array): NodeInfo | Reconfigure | undefined {
  if (bytes.length !== MESSAGE_BYTES) return undefined;
  const view = viewOf(bytes);
  const littleEndian = view.getUint32(8, true) === MESSAGE_BYTES;
  if (!littleEndian && view.getUint32(8, false) !== MESSAGE_BYTES) return undefined;
  const field = (offset: number): number => view.getUint32(offset, littleEndian);
  const node = field(HEADER_BYTES);
  if (field(0) === NODEINFO) {
    return { kind: 'node-info', node, votes: field(20), expectedVotes: field(24), flags: field(28) };
  }
  const param = PARAMS[view.getUint8(24) - 1];
  if (field(0) !== RECONFIGURE || param === undefined) return undefined;
  return { kind: 'reconfigure', param, node, value: field(20) };
}

export function encodeVotequorumMessage(to: ByteWriter, message: NodeInfo | Reconfigure): Uint8Array {
  const id = message.kind === 'node-info' ? NODEINFO : RECONFIGURE;
  to.reset().u32(id).u32(0).u32(MESSAGE_BYTES).u32(0).u32(message.node);
  if (message.kind === 'node-info') {
    return to.u32(message.votes).u32(message.expectedVotes).u32(message.flags).bytes();
  }
  return to
    .u32(message.value)
    .u8(PARAMS.indexOf(message.param) + 1)
    .zeros(7)
    .bytes();
}
