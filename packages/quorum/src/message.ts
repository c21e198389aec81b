import { asciiBytes, ByteReader, type ByteWriter, cString } from '@quorate/kernel';
import type { NodeId } from './cluster-node.js';
import { PORT_BITS_SIZE } from './port-bits.js';

/** Protocol version: the major number must be equal on all nodes. */
export const CMAN_VERSION = { major: 6, minor: 2, patch: 0 } as const;

/** Largest payload of a message. */
export const MESSAGE_MAX = 1500;

const AGENT_NAME_MAX = 254;
const CLUSTER_NAME_SIZE = 16;

const PORTOPENED = 2;
const PORTCLOSED = 3;
const TRANSITION = 5;
const KILLNODE = 6;
const LEAVE = 7;
const RECONFIGURE = 8;
const PORTENQ = 9;
const PORTSTATUS = 10;
const FENCESTATUS = 11;

/** Why a node is told to go, by the original's names: KILL_REJECTED 1, KILL_CMANTOOL 2, KILL_REJOIN 3. */
export type KillReason = 'rejected' | 'cmantool' | 'rejoin';

const KILL_REASONS: readonly KillReason[] = ['rejected', 'cmantool', 'rejoin'];

export function killReasonNumber(reason: KillReason): number {
  return KILL_REASONS.indexOf(reason) + 1;
}

/** The name of a kill reason; undefined for a number that nobody gave a name. */
export function killReasonOf(number: number): KillReason | undefined {
  return KILL_REASONS[number - 1];
}

/** What a reconfiguration changes: RECONFIG_PARAM_EXPECTED_VOTES 1, _NODE_VOTES 2, _CONFIG_VERSION 3. */
export type ReconfigureParam = 'expected-votes' | 'node-votes' | 'config-version';

const RECONFIGURE_PARAMS: readonly ReconfigureParam[] = ['expected-votes', 'node-votes', 'config-version'];

/** Sent by each node after each regular configuration: who it is and what it expects. */
export interface TransitionMessage {
  readonly kind: 'transition';
  /** The sender has not seen another node yet. */
  readonly isFirst: boolean;
  readonly clusterId: number;
  readonly votes: number;
  readonly expectedVotes: number;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly patchVersion: number;
  readonly configVersion: number;
  /** `NodeFlag`. */
  readonly flags: number;
  /** Wall clock second; 0: never fenced. */
  readonly fencedAt: number;
  /** Wall clock second in which its cman started. */
  readonly startedAt: number;
  readonly clusterName: string;
  readonly fenceAgent: string;
}

export type CmanMessage =
  | { readonly kind: 'port-opened'; readonly port: number }
  | { readonly kind: 'port-closed'; readonly port: number }
  | { readonly kind: 'port-enquiry' }
  /** `ports` aliases what was decoded. */
  | { readonly kind: 'port-status'; readonly ports: Uint8Array }
  | TransitionMessage
  | { readonly kind: 'kill'; readonly node: NodeId; readonly reason: number }
  | { readonly kind: 'leave'; readonly reason: number }
  | {
      readonly kind: 'reconfigure';
      readonly param: ReconfigureParam;
      readonly node: NodeId;
      readonly value: number;
    }
  | {
      readonly kind: 'fence-status';
      readonly node: NodeId;
      /** It was fenced now; otherwise this tells a node about itself what it cannot know. */
      readonly isFenced: boolean;
      readonly at: number;
      readonly agent: string;
    };

/** Why bytes are no message: cut short, or a command that this version does not speak (1 ACK and 4 BARRIER among them). */
export type MessageDefect = 'truncated' | 'unknown-message';

/** In front of every message of totem's group CMAN. */
export interface MessageHeader {
  /** Port 0 is the protocol itself. */
  readonly toPort: number;
  readonly fromPort: number;
  readonly from: NodeId;
  /** 0: everybody. */
  readonly to: NodeId;
}

export const HEADER_SIZE = 16;

/**
 * Header of a message, 16 bytes, little-endian.
 *
 * offset size field
 *      0    1 tgtport
 *      1    1 srcport
 *      2    2 –        zero
 *      4    4 flags    zero; totem's delivery guarantee in the original
 *      8    4 srcid
 *     12    4 tgtid    0 everybody
 *
 * Source: cman/daemon/ais.c, `cl_protheader`. The original writes its own byte order and the receiver swaps.
 */
export function writeHeader(writer: ByteWriter, header: MessageHeader): ByteWriter {
  return writer.u8(header.toPort).u8(header.fromPort).u16(0).u32(0).u32(header.from).u32(header.to);
}

/** The header of a message; undefined when there are not enough bytes. */
export function readHeader(bytes: Uint8Array): MessageHeader | undefined {
  const reader = new ByteReader(bytes, true);
  const toPort = reader.u8();
  const fromPort = reader.u8();
  const from = reader.skip(6).u32();
  const to = reader.u32();
  return reader.ok ? { toPort, fromPort, from, to } : undefined;
}

/**
 * Messages on port 0, little-endian; the first byte is the command.
 *
 * PORTOPENED 2, PORTCLOSED 3     1 port
 * PORTENQ 9                      nothing else
 * PORTSTATUS 10                  1 the 32 bytes of port bits
 * KILLNODE 6                     1 zero · 2 reason u16 · 4 nodeid u32
 * LEAVE 7                        1 zero · 2 reason u16
 * RECONFIGURE 8                  1 param · 2 zero u16 · 4 nodeid u32 · 8 value u32
 * FENCESTATUS 11                 1 fenced · 2 zero u16 · 4 nodeid u32 · 8 timesec u64 · 16 agent, NUL-terminated
 *
 * TRANSITION 5
 *
 * offset size field
 *      0    1 cmd             5
 *      1    1 first_trans     0 or 1
 *      2    2 cluster_id
 *      4    4 votes           informational: a receiver takes a node's votes from its own cluster.conf
 *      8    4 expected_votes
 *     12   12 major_version, minor_version, patch_version
 *     24    4 config_version
 *     28    4 flags
 *     32    8 fence_time      seconds since 1970
 *     40    8 join_time       seconds since 1970
 *     48   16 clustername     NUL-padded
 *     64    n fence_agent     NUL-terminated
 *
 * Source: cman/daemon/cnxman-private.h. Offsets are those that C gives these structures on x86_64.
 */
export function writeMessage(writer: ByteWriter, message: CmanMessage): ByteWriter {
  switch (message.kind) {
    case 'port-opened':
      return writer.u8(PORTOPENED).u8(message.port);
    case 'port-closed':
      return writer.u8(PORTCLOSED).u8(message.port);
    case 'port-enquiry':
      return writer.u8(PORTENQ);
    case 'port-status':
      return writer.u8(PORTSTATUS).raw(message.ports, PORT_BITS_SIZE);
    case 'transition':
      return writeTransition(writer, message);
    case 'kill':
      return writer.u8(KILLNODE).u8(0).u16(message.reason).u32(message.node);
    case 'leave':
      return writer.u8(LEAVE).u8(0).u16(message.reason);
    case 'reconfigure': {
      const param = RECONFIGURE_PARAMS.indexOf(message.param) + 1;
      return writer.u8(RECONFIGURE).u8(param).u16(0).u32(message.node).u32(message.value);
    }
    case 'fence-status':
      writer.u8(FENCESTATUS).u8(Number(message.isFenced)).u16(0).u32(message.node).u64(message.at);
      return writeAgent(writer, message.agent);
  }
}

function writeTransition(writer: ByteWriter, message: TransitionMessage): ByteWriter {
  writer.u8(TRANSITION).u8(Number(message.isFirst)).u16(message.clusterId);
  writer.u32(message.votes).u32(message.expectedVotes);
  writer.u32(message.majorVersion).u32(message.minorVersion).u32(message.patchVersion);
  writer.u32(message.configVersion).u32(message.flags).u64(message.fencedAt).u64(message.startedAt);
  writer.raw(asciiBytes(message.clusterName), CLUSTER_NAME_SIZE);
  return writeAgent(writer, message.fenceAgent);
}

function writeAgent(writer: ByteWriter, agent: string): ByteWriter {
  return writer.raw(asciiBytes(agent.slice(0, AGENT_NAME_MAX))).u8(0);
}

/** Reads what follows the header of a message on port 0. Bytes after the message are ignored, as the original does. */
export function readMessage(bytes: Uint8Array): CmanMessage | MessageDefect {
  const reader = new ByteReader(bytes, true);
  const message = readCommand(reader);
  return reader.ok ? message : 'truncated';
}

function readCommand(reader: ByteReader): CmanMessage | MessageDefect {
  switch (reader.u8()) {
    case PORTOPENED:
      return { kind: 'port-opened', port: reader.u8() };
    case PORTCLOSED:
      return { kind: 'port-closed', port: reader.u8() };
    case PORTENQ:
      return { kind: 'port-enquiry' };
    case PORTSTATUS:
      return { kind: 'port-status', ports: reader.raw(PORT_BITS_SIZE) };
    case TRANSITION:
      return readTransition(reader);
    case KILLNODE: {
      const reason = reader.skip(1).u16();
      return { kind: 'kill', reason, node: reader.u32() };
    }
    case LEAVE:
      return { kind: 'leave', reason: reader.skip(1).u16() };
    case RECONFIGURE:
      return readReconfigure(reader);
    case FENCESTATUS: {
      const isFenced = reader.u8() !== 0;
      const node = reader.skip(2).u32();
      return { kind: 'fence-status', isFenced, node, at: reader.u64(), agent: cString(reader.rest()) };
    }
    default:
      return 'unknown-message';
  }
}

function readReconfigure(reader: ByteReader): CmanMessage | MessageDefect {
  const param = RECONFIGURE_PARAMS[reader.u8() - 1];
  const node = reader.skip(2).u32();
  const value = reader.u32();
  return param === undefined ? 'unknown-message' : { kind: 'reconfigure', param, node, value };
}

function readTransition(reader: ByteReader): TransitionMessage {
  return {
    kind: 'transition',
    isFirst: reader.u8() !== 0,
    clusterId: reader.u16(),
    votes: reader.u32(),
    expectedVotes: reader.u32(),
    majorVersion: reader.u32(),
    minorVersion: reader.u32(),
    patchVersion: reader.u32(),
    configVersion: reader.u32(),
    flags: reader.u32(),
    fencedAt: reader.u64(),
    startedAt: reader.u64(),
    clusterName: cString(reader.raw(CLUSTER_NAME_SIZE)),
    fenceAgent: cString(reader.rest()),
  };
}
