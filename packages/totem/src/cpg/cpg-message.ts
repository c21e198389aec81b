import { asciiBytes, type ByteWriter, latin1, u32At } from '@quorate/kernel';
import type { NodeId } from '../ring-id.js';
import { MAX_MEMBERS } from '../wire/header.js';
import { encodeServiceHeader, SERVICE_HEADER_BYTES, Service, type ServiceMessage } from './service-message.js';

/** Longest name of a process group. */
export const MAX_GROUP_NAME_BYTES = 128;
/** `mar_cpg_name_t`: u32 length, 4 unused, 128 bytes filled with zeros. */
const NAME_BYTES = 8 + MAX_GROUP_NAME_BYTES;
const PROC_BYTES = 168;
const JOIN_LIST_HEADER_BYTES = 24;
const JOIN_LIST_ENTRY_BYTES = 8 + NAME_BYTES;
export const MCAST_BYTES = 184;
const DOWN_LIST_BYTES = 32 + 4 * MAX_MEMBERS;
export const PARTIAL_MCAST_BYTES = 200;

const CpgFunction = {
  procJoin: 0,
  procLeave: 1,
  joinList: 2,
  mcast: 3,
  downListOld: 4,
  downList: 5,
  partialMcast: 6,
} as const;

/** Why a process appears or disappears in a configuration change; 0 where nothing changed. */
export const CpgReason = { none: 0, join: 1, leave: 2, nodeDown: 3, nodeUp: 4, procDown: 5 } as const;

/** Place of a fragment of a message too long for totempg. */
export const PartialType = { first: 1, continued: 2, last: 3 } as const;

/** A message of the process group service in group `a`. Payloads alias it. */
export type CpgMessage =
  | { readonly kind: 'proc-join'; readonly group: string; readonly pid: number }
  | { readonly kind: 'proc-leave'; readonly group: string; readonly pid: number; readonly reason: number }
  | { readonly kind: 'join-list'; readonly processes: readonly { readonly pid: number; readonly group: string }[] }
  | { readonly kind: 'mcast'; readonly group: string; readonly pid: number; readonly payload: Uint8Array }
  | {
      readonly kind: 'partial-mcast';
      readonly group: string;
      readonly pid: number;
      readonly type: number;
      /** Length of the whole message. */
      readonly length: number;
      readonly payload: Uint8Array;
    }
  | { readonly kind: 'down-list'; readonly oldMembers: number; readonly left: readonly NodeId[] };

/** Whether a message of group `a` is the process group service's. */
export function isCpgMessage(message: ServiceMessage): boolean {
  return message.id >>> 16 === Service.cpg;
}

/**
 * Reads a message of the process group service; undefined if it is malformed or of an unknown function.
 *
 * offset of the fields, after the header of 16 bytes; every u32 and name starts at a multiple of 8:
 *
 * function            fields
 * 0, 1 join, leave    16 name, 152 pid, 160 reason; 168 bytes
 * 2 join list         header of 24 bytes (an i32 error at 16); each process: pid, 8 name; 144 bytes
 * 3 mcast             16 name, 152 msglen, 160 pid, 168 source node, 176 source connection (8, opaque), 184 message
 * 5 down list         16 old_members, 24 left_nodes, 32 u32 × 384, of which those behind left_nodes are stale
 * 6 partial mcast     16 name, 152 msglen, 160 fraglen, 168 pid, 176 type, 184 source (16), 200 data
 *
 * Source: corosync exec/cpg.c, `struct req_exec_cpg_*`.
 */
export function decodeCpgMessage(message: ServiceMessage): CpgMessage | undefined {
  switch (message.id & 0xffff) {
    case CpgFunction.procJoin:
      return decodeProc(message, 'proc-join');
    case CpgFunction.procLeave:
      return decodeProc(message, 'proc-leave');
    case CpgFunction.joinList:
      return decodeJoinList(message);
    case CpgFunction.mcast:
      return decodeMcast(message);
    case CpgFunction.downList:
      return decodeDownList(message);
    case CpgFunction.partialMcast:
      return decodePartialMcast(message);
    default:
      return undefined;
  }
}

function decodeProc(message: ServiceMessage, kind: 'proc-join' | 'proc-leave'): CpgMessage | undefined {
  if (message.bytes.length < PROC_BYTES) return undefined;
  const group = nameAt(message, SERVICE_HEADER_BYTES);
  if (group === undefined) return undefined;
  return { kind, group, pid: fieldAt(message, 152), reason: fieldAt(message, 160) };
}

function decodeJoinList(message: ServiceMessage): CpgMessage | undefined {
  const size = message.bytes.length - JOIN_LIST_HEADER_BYTES;
  if (size < 0 || size % JOIN_LIST_ENTRY_BYTES !== 0) return undefined;
  const processes: { pid: number; group: string }[] = [];
  for (let at = JOIN_LIST_HEADER_BYTES; at < message.bytes.length; at += JOIN_LIST_ENTRY_BYTES) {
    const group = nameAt(message, at + 8);
    if (group === undefined) return undefined;
    processes.push({ pid: fieldAt(message, at), group });
  }
  return { kind: 'join-list', processes };
}

function decodeMcast(message: ServiceMessage): CpgMessage | undefined {
  if (message.bytes.length < MCAST_BYTES) return undefined;
  const group = nameAt(message, SERVICE_HEADER_BYTES);
  if (group === undefined || fieldAt(message, 152) !== message.bytes.length - MCAST_BYTES) return undefined;
  return { kind: 'mcast', group, pid: fieldAt(message, 160), payload: message.bytes.subarray(MCAST_BYTES) };
}

function decodeDownList(message: ServiceMessage): CpgMessage | undefined {
  if (message.bytes.length < DOWN_LIST_BYTES) return undefined;
  const count = fieldAt(message, 24);
  if (count > MAX_MEMBERS) return undefined;
  const left: NodeId[] = [];
  for (let i = 0; i < count; i++) left.push(fieldAt(message, 32 + 4 * i));
  return { kind: 'down-list', oldMembers: fieldAt(message, 16), left };
}

function decodePartialMcast(message: ServiceMessage): CpgMessage | undefined {
  if (message.bytes.length < PARTIAL_MCAST_BYTES) return undefined;
  const group = nameAt(message, SERVICE_HEADER_BYTES);
  if (group === undefined || fieldAt(message, 160) !== message.bytes.length - PARTIAL_MCAST_BYTES) return undefined;
  return {
    kind: 'partial-mcast',
    group,
    pid: fieldAt(message, 168),
    type: fieldAt(message, 176),
    length: fieldAt(message, 152),
    payload: message.bytes.subarray(PARTIAL_MCAST_BYTES),
  };
}

function fieldAt({ bytes, littleEndian }: ServiceMessage, offset: number): number {
  return u32At(bytes, offset, littleEndian);
}

function nameAt(message: ServiceMessage, offset: number): string | undefined {
  const length = fieldAt(message, offset);
  return length > MAX_GROUP_NAME_BYTES ? undefined : latin1(message.bytes, offset + 8, offset + 8 + length);
}

export function encodeProcJoin(to: ByteWriter, group: string, pid: number): Uint8Array {
  return encodeProc(to, CpgFunction.procJoin, group, pid, CpgReason.join);
}

export function encodeProcLeave(to: ByteWriter, group: string, pid: number, reason: number): Uint8Array {
  return encodeProc(to, CpgFunction.procLeave, group, pid, reason);
}

function encodeProc(to: ByteWriter, fn: number, group: string, pid: number, reason: number): Uint8Array {
  encodeName(encodeServiceHeader(to, functionId(fn), PROC_BYTES), group);
  return to.u32(pid).u32(0).u32(reason).u32(0).bytes();
}

export function encodeJoinList(
  to: ByteWriter,
  processes: readonly { readonly pid: number; readonly group: string }[],
): Uint8Array {
  const size = JOIN_LIST_HEADER_BYTES + JOIN_LIST_ENTRY_BYTES * processes.length;
  encodeServiceHeader(to, functionId(CpgFunction.joinList), size).zeros(8);
  for (const { pid, group } of processes) encodeName(to.u32(pid).u32(0), group);
  return to.bytes();
}

export function encodeDownList(to: ByteWriter, oldMembers: number, left: readonly NodeId[]): Uint8Array {
  encodeServiceHeader(to, functionId(CpgFunction.downList), DOWN_LIST_BYTES);
  to.u32(oldMembers).u32(0).u32(left.length).u32(0);
  for (const node of left) to.u32(node);
  return to.zeros(4 * (MAX_MEMBERS - left.length)).bytes();
}

/** A message of a process. The source connection, an address in corosync's memory, is 0. */
export function encodeMcast(to: ByteWriter, group: string, pid: number, node: NodeId, payload: Uint8Array): Uint8Array {
  const size = MCAST_BYTES + payload.length;
  encodeName(encodeServiceHeader(to, functionId(CpgFunction.mcast), size), group);
  to.u32(payload.length).u32(0).u32(pid).u32(0).u32(node).u32(0).zeros(8);
  return to.raw(payload).bytes();
}

/** A fragment of a message of `length` bytes. */
export function encodePartialMcast(
  to: ByteWriter,
  message: { readonly group: string; readonly pid: number; readonly length: number },
  node: NodeId,
  { type, payload }: { readonly type: number; readonly payload: Uint8Array },
): Uint8Array {
  const size = PARTIAL_MCAST_BYTES + payload.length;
  encodeName(encodeServiceHeader(to, functionId(CpgFunction.partialMcast), size), message.group);
  to.u32(message.length).u32(0).u32(payload.length).u32(0).u32(message.pid).u32(0).u32(type).u32(0);
  return to.u32(node).u32(0).zeros(8).raw(payload).bytes();
}

function encodeName(to: ByteWriter, name: string): void {
  to.u32(name.length).u32(0).raw(asciiBytes(name), MAX_GROUP_NAME_BYTES);
}

function functionId(fn: number): number {
  return Service.cpg * 0x1_0000 + fn;
}
