import { ByteReader, type ByteWriter } from '@quorate/kernel';

/** What a message is about. */
export const MessageType = { PROTOCOL: 1, START: 2, VICTIM_DONE: 3, COMPLETE: 4, EXTERNAL: 5 } as const;

export const MessageFlag = {
  /** With START: the sender joins by this change. */
  JOINING: 1,
  /** The sender knows all victims, and so may become master. */
  COMPLETE: 2,
  /** With START: there are two changes that look like this one, and it is meant for the newer. */
  DUPLICATE_CHANGE: 4,
} as const;

/** How a victim was dealt with, by its number on the wire. */
export const HOW = ['none', 'agent', 'member', 'override', 'external'] as const;
/** `member`: it came back clean; `override`: an administrator says that it is dead; `external`: fenced by hand. */
export type FencedHow = (typeof HOW)[number];

/** A protocol version; 0.0.0 is none. */
export type Version = readonly [number, number, number];

/**
 * Message header, 40 bytes. Little-endian.
 *
 * offset size field
 *      0    6 version    three u16: the protocol that runs; zero in a PROTOCOL message
 *      6    2 type       `MessageType`
 *      8    4 node id    sender
 *     12    4 to         zero, everybody
 *     16    4 global id  zero
 *     20    4 flags      `MessageFlag`
 *     24    4 data       START, COMPLETE, VICTIM_DONE: sequence number of the sender's change; EXTERNAL: the victim
 *     28    4 –          zero
 *     32    8 –          zero
 *
 * Source: cluster.git fence/fenced/fd.h, `fd_header`.
 */
export interface Header {
  readonly version: Version;
  readonly type: number;
  readonly from: number;
  readonly flags: number;
  readonly data: number;
}

const HEADER_BYTES = 40;

/**
 * Follows the header of PROTOCOL, 16 bytes: the highest version that the sender speaks (four u16, the last is flags), and
 * the one that it runs (likewise; flag 1 is "stateful": it has completed a start cycle).
 *
 * Source: cluster.git fence/fenced/cpg.c, `protocol`.
 */
export interface Protocol {
  readonly max: Version;
  readonly run: Version;
  readonly isStateful: boolean;
}

const PROTOCOL_BYTES = 16;
const STATEFUL = 1;

/**
 * Follows the header of START and COMPLETE, 32 bytes: u32 own size 32, u32 size of an id info 40, u32 their number, u32
 * started count, then the numbers of members, joined, removed and failed nodes of the change.
 *
 * Source: cluster.git fence/fenced/cpg.c, `fd_info`.
 */
export interface ChangeInfo {
  /** Start cycles that the sender has completed. */
  readonly startedCount: number;
  readonly memberCount: number;
  readonly joinedCount: number;
  readonly removeCount: number;
  readonly failedCount: number;
}

const CHANGE_INFO_BYTES = 32;

/**
 * One per node that the sender remembers, after the change info; alone after the header of VICTIM_DONE. 40 bytes: node id,
 * flags (1 is "member of the change"), node that fenced it externally, master that fenced it, how, zero, and two u64: the
 * second in which it was fenced, and fenced externally.
 *
 * Source: cluster.git fence/fenced/cpg.c, `id_info`.
 */
export interface NodeInfo {
  readonly nodeId: number;
  readonly isMember: boolean;
  readonly externalBy: number;
  readonly fencedBy: number;
  readonly how: number;
  readonly fenceTime: number;
  readonly externalTime: number;
}

const NODE_INFO_BYTES = 40;
const IS_MEMBER = 1;

export type FencedMessage =
  | { readonly kind: 'protocol'; readonly header: Header; readonly protocol: Protocol }
  | {
      readonly kind: 'start' | 'complete';
      readonly header: Header;
      readonly info: ChangeInfo;
      readonly nodes: readonly NodeInfo[];
    }
  | { readonly kind: 'victim-done'; readonly header: Header; readonly node: NodeInfo }
  | { readonly kind: 'external'; readonly header: Header };

export type MessageDefect = 'short' | 'unknown-type' | 'bad-size';

export function writeHeader(writer: ByteWriter, { version, type, from, flags, data }: Header): void {
  for (const part of version) writer.u16(part);
  writer.u16(type).u32(from).u32(0).u32(0).u32(flags).u32(data).zeros(12);
}

export function writeProtocol(writer: ByteWriter, { max, run, isStateful }: Protocol): void {
  for (const part of max) writer.u16(part);
  writer.u16(0);
  for (const part of run) writer.u16(part);
  writer.u16(isStateful ? STATEFUL : 0);
}

export function writeChangeInfo(writer: ByteWriter, info: ChangeInfo, nodeCount: number): void {
  writer.u32(CHANGE_INFO_BYTES).u32(NODE_INFO_BYTES).u32(nodeCount).u32(info.startedCount);
  writer.u32(info.memberCount).u32(info.joinedCount).u32(info.removeCount).u32(info.failedCount);
}

export function writeNodeInfo(writer: ByteWriter, node: NodeInfo): void {
  writer
    .u32(node.nodeId)
    .u32(node.isMember ? IS_MEMBER : 0)
    .u32(node.externalBy)
    .u32(node.fencedBy);
  writer.u32(node.how).u32(0).u64(node.fenceTime).u64(node.externalTime);
}

/** Reads a message; what it returns keeps nothing of `bytes`. */
export function decodeMessage(bytes: Uint8Array): FencedMessage | MessageDefect {
  if (bytes.length < HEADER_BYTES) return 'short';
  const reader = new ByteReader(bytes, true);
  const header = readHeader(reader);
  switch (header.type) {
    case MessageType.PROTOCOL:
      return reader.left < PROTOCOL_BYTES ? 'short' : { kind: 'protocol', header, protocol: readProtocol(reader) };
    case MessageType.START:
      return readChange(reader, 'start', header);
    case MessageType.COMPLETE:
      return readChange(reader, 'complete', header);
    case MessageType.VICTIM_DONE:
      return reader.left < NODE_INFO_BYTES ? 'short' : { kind: 'victim-done', header, node: readNodeInfo(reader) };
    case MessageType.EXTERNAL:
      return { kind: 'external', header };
    default:
      return 'unknown-type';
  }
}

function readHeader(reader: ByteReader): Header {
  const version = readVersion(reader);
  const type = reader.u16();
  const from = reader.u32();
  const flags = reader.skip(8).u32();
  const data = reader.u32();
  reader.skip(12);
  return { version, type, from, flags, data };
}

function readVersion(reader: ByteReader): Version {
  return [reader.u16(), reader.u16(), reader.u16()];
}

function readProtocol(reader: ByteReader): Protocol {
  const max = readVersion(reader);
  const run = readVersion(reader.skip(2));
  return { max, run, isStateful: (reader.u16() & STATEFUL) !== 0 };
}

function readChange(reader: ByteReader, kind: 'start' | 'complete', header: Header): FencedMessage | MessageDefect {
  if (reader.left < CHANGE_INFO_BYTES) return 'short';
  const ownSize = reader.u32();
  const nodeSize = reader.u32();
  const count = reader.u32();
  const info: ChangeInfo = {
    startedCount: reader.u32(),
    memberCount: reader.u32(),
    joinedCount: reader.u32(),
    removeCount: reader.u32(),
    failedCount: reader.u32(),
  };
  if (ownSize < CHANGE_INFO_BYTES || nodeSize < NODE_INFO_BYTES) return 'bad-size';
  if (count * nodeSize > reader.left) return 'short';
  const nodes: NodeInfo[] = [];
  for (let i = 0; i < count; i++) {
    nodes.push(readNodeInfo(reader));
    reader.skip(nodeSize - NODE_INFO_BYTES);
  }
  return { kind, header, info, nodes };
}

function readNodeInfo(reader: ByteReader): NodeInfo {
  const nodeId = reader.u32();
  const isMember = (reader.u32() & IS_MEMBER) !== 0;
  const externalBy = reader.u32();
  const fencedBy = reader.u32();
  const how = reader.u32();
  const fenceTime = reader.skip(4).u64();
  return { nodeId, isMember, externalBy, fencedBy, how, fenceTime, externalTime: reader.u64() };
}
