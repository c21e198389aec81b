import { ByteReader, type ByteWriter } from '@quorate/kernel';
import { type LocksSection, readSection } from './deadlock/pack-lock.js';
import { type PlockData, type PlockRecord, readPlockData, readPlockRecord } from './plocks/plock-message.js';
import type { StartInfo } from './start-info.js';
import { readViewsAsked, readViewsTold, type ViewsAsked } from './view-query.js';
import type { NodeViews } from './why-not.js';

/**
 * What a message of the daemons is about. 1 to 7 are the same in all versions; the others are those of dlm 4. In RHEL 6 the
 * eighth is PLOCKS_STORED, and those about deadlocks have one less.
 */
export const ControldType = {
  PROTOCOL: 1,
  START: 2,
  PLOCK: 3,
  PLOCK_OWN: 4,
  PLOCK_DROP: 5,
  PLOCK_SYNC_LOCK: 6,
  PLOCK_SYNC_WAITER: 7,
  PLOCKS_DONE: 8,
  PLOCKS_DATA: 9,
  CYCLE_START: 10,
  CYCLE_END: 11,
  CHECKPOINT_READY: 12,
  CANCEL_LOCK: 13,
  /** Ours: locks of one resource, which the original puts into a checkpoint. */
  CHECKPOINT_LOCKS: 0x100,
  /** Ours, between all daemons: what each shows of a lockspace, to say why a lock waits; and the answer, for the one that asked. */
  VIEWS_ASKED: 0x101,
  VIEWS_TOLD: 0x102,
} as const;

/** Flags of START. */
export const StartFlag = {
  /** The sender joins by this change. */
  JOINING: 1,
  /** It has the posix locks of this lockspace. */
  HAVEPLOCK: 2,
  /** Two changes look alike: this message takes the older one out of the running. */
  NACK: 4,
} as const;

/** A protocol version: major, minor, patch. */
export type ProtocolVersion = readonly [number, number, number];

/**
 * Header of every message, 40 bytes. Little-endian.
 *
 * offset size field
 *      0    6 version    three u16: the daemon protocol that runs; zero in PROTOCOL
 *      6    2 type       `ControldType`
 *      8    4 node id    sender
 *     12    4 to         0, all; CANCEL_LOCK: the lock's node; VIEWS_TOLD: who asked
 *     16    4 global id  of the lockspace
 *     20    4 flags      `StartFlag`
 *     24    4 msgdata    START, PLOCKS_DATA, PLOCKS_DONE: number of the sender's change; CANCEL_LOCK: the lock's id;
 *                       VIEWS_ASKED, VIEWS_TOLD: the asker's number of the question
 *     28    4 msgdata2   PLOCKS_DONE: number of PLOCKS_DATA before it
 *     32    8 –          zero
 *
 * Source: dlm dlm_controld/dlm_daemon.h, `dlm_header`.
 */
export interface ControldHeader {
  readonly version: ProtocolVersion;
  readonly type: number;
  readonly nodeid: number;
  /** 0 when absent. */
  readonly to?: number;
  readonly globalId: number;
  readonly flags: number;
  readonly msgdata: number;
  readonly msgdata2?: number;
}

const HEADER_BYTES = 40;

/**
 * Body of PROTOCOL, 32 bytes: highest and running version of the daemon and of the kernel in the order daemon max,
 * kernel max, daemon run, kernel run. Each is four u16: major, minor, patch, flags.
 *
 * Source: dlm dlm_controld/daemon_cpg.c, `protocol`.
 */
export interface Protocol {
  readonly daemonMax: ProtocolVersion;
  readonly kernelMax: ProtocolVersion;
  /** Zeros while none runs. */
  readonly daemonRun: ProtocolVersion;
  readonly kernelRun: ProtocolVersion;
  /** It has started a lockspace: others that have, too, cannot take it for a newcomer. */
  readonly isStateful: boolean;
}

const STATEFUL = 1;

const START_INFO_BYTES = 32;
const ID_BYTES = 4;

export type ControldMessage =
  | { readonly kind: 'protocol'; readonly header: ControldHeader; readonly protocol: Protocol }
  | { readonly kind: 'start'; readonly header: ControldHeader; readonly info: StartInfo }
  | { readonly kind: 'plock'; readonly header: ControldHeader; readonly record: PlockRecord }
  | { readonly kind: 'plocks-data'; readonly header: ControldHeader; readonly data: PlockData }
  /** Names the change as START does. */
  | { readonly kind: 'plocks-done'; readonly header: ControldHeader; readonly info: StartInfo }
  | { readonly kind: 'cycle'; readonly header: ControldHeader }
  | { readonly kind: 'checkpoint-locks'; readonly header: ControldHeader; readonly section: LocksSection }
  | { readonly kind: 'views-asked'; readonly header: ControldHeader; readonly asked: ViewsAsked }
  /** No views: it showed nothing that can be read. */
  | { readonly kind: 'views-told'; readonly header: ControldHeader; readonly views: NodeViews | undefined }
  /** Fencing results, which are not dealt with here. */
  | { readonly kind: 'other'; readonly header: ControldHeader };

export type ControldDefect = 'short' | 'bad-size';

export function writeHeader(writer: ByteWriter, header: ControldHeader): void {
  const { version, type, nodeid, to = 0, globalId, flags, msgdata, msgdata2 = 0 } = header;
  for (const part of version) writer.u16(part);
  writer.u16(type).u32(nodeid).u32(to).u32(globalId).u32(flags).u32(msgdata).u32(msgdata2).zeros(8);
}

export function writeProtocol(writer: ByteWriter, protocol: Protocol): void {
  const { daemonMax, kernelMax, daemonRun, kernelRun, isStateful } = protocol;
  writeVersion(writer, daemonMax, 0);
  writeVersion(writer, kernelMax, 0);
  writeVersion(writer, daemonRun, isStateful ? STATEFUL : 0);
  writeVersion(writer, kernelRun, 0);
}

function writeVersion(writer: ByteWriter, version: ProtocolVersion, flags: number): void {
  for (const part of version) writer.u16(part);
  writer.u16(flags);
}

export function writeStartInfo(writer: ByteWriter, info: StartInfo): void {
  writer.u32(START_INFO_BYTES).u32(ID_BYTES).u32(info.members.length).u32(info.startedCount);
  writer.u32(info.memberCount).u32(info.joinedCount).u32(info.removeCount).u32(info.failedCount);
  for (const node of info.members) writer.u32(node);
}

/** Reads a message; what it returns keeps nothing of `bytes`. */
export function decodeControldMessage(bytes: Uint8Array): ControldMessage | ControldDefect {
  if (bytes.length < HEADER_BYTES) return 'short';
  const reader = new ByteReader(bytes, true);
  const header = readHeader(reader);
  switch (header.type) {
    case ControldType.PROTOCOL:
      return reader.left < 32 ? 'short' : { kind: 'protocol', header, protocol: readProtocol(reader) };
    case ControldType.START:
      return readStart(reader, header, 'start');
    case ControldType.PLOCK:
    case ControldType.PLOCK_OWN:
    case ControldType.PLOCK_DROP:
    case ControldType.PLOCK_SYNC_LOCK:
    case ControldType.PLOCK_SYNC_WAITER: {
      const record = readPlockRecord(reader.rest());
      return record === undefined ? 'short' : { kind: 'plock', header, record };
    }
    case ControldType.PLOCKS_DATA: {
      const data = readPlockData(reader.rest());
      return data === undefined ? 'short' : { kind: 'plocks-data', header, data };
    }
    case ControldType.CYCLE_START:
    case ControldType.CYCLE_END:
    case ControldType.CHECKPOINT_READY:
    case ControldType.CANCEL_LOCK:
      return { kind: 'cycle', header };
    case ControldType.CHECKPOINT_LOCKS: {
      const section = readSection(reader.rest());
      return section === undefined ? 'short' : { kind: 'checkpoint-locks', header, section };
    }
    case ControldType.VIEWS_ASKED: {
      const asked = readViewsAsked(reader.rest());
      return asked === undefined ? 'short' : { kind: 'views-asked', header, asked };
    }
    case ControldType.VIEWS_TOLD:
      return { kind: 'views-told', header, views: readViewsTold(reader.rest()) };
    case ControldType.PLOCKS_DONE:
      return readStart(reader, header, 'plocks-done');
  }
  return { kind: 'other', header };
}

function readHeader(reader: ByteReader): ControldHeader {
  const version = readVersion(reader);
  const type = reader.u16();
  const nodeid = reader.u32();
  const to = reader.u32();
  const globalId = reader.u32();
  const flags = reader.u32();
  const msgdata = reader.u32();
  const msgdata2 = reader.u32();
  reader.skip(8);
  return { version, type, nodeid, to, globalId, flags, msgdata, msgdata2 };
}

function readVersion(reader: ByteReader): ProtocolVersion {
  return [reader.u16(), reader.u16(), reader.u16()];
}

function readProtocol(reader: ByteReader): Protocol {
  const daemonMax = readVersion(reader);
  const kernelMax = readVersion(reader.skip(2));
  const daemonRun = readVersion(reader.skip(2));
  const isStateful = (reader.u16() & STATEFUL) !== 0;
  return { daemonMax, kernelMax, daemonRun, kernelRun: readVersion(reader), isStateful };
}

function readStart(
  reader: ByteReader,
  header: ControldHeader,
  kind: 'start' | 'plocks-done',
): ControldMessage | ControldDefect {
  if (reader.left < START_INFO_BYTES) return 'short';
  const infoBytes = reader.u32();
  const idBytes = reader.u32();
  const count = reader.u32();
  const startedCount = reader.u32();
  const memberCount = reader.u32();
  const joinedCount = reader.u32();
  const removeCount = reader.u32();
  const failedCount = reader.u32();
  if (infoBytes < START_INFO_BYTES || idBytes < ID_BYTES || infoBytes - START_INFO_BYTES > reader.left)
    return 'bad-size';
  reader.skip(infoBytes - START_INFO_BYTES);
  if (count * idBytes > reader.left) return 'short';
  const members: number[] = [];
  for (let i = 0; i < count; i++) {
    members.push(reader.u32());
    reader.skip(idBytes - ID_BYTES);
  }
  return {
    kind,
    header,
    info: { startedCount, memberCount, joinedCount, removeCount, failedCount, members },
  };
}
