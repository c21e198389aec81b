import { ByteReader, type ByteWriter, latin1, viewOf } from '@quorate/kernel';
import { Mode } from './mode.js';
import { Command, HEADER_BYTES, MAX_PACKET_BYTES } from './packet-header.js';
import { LockStatus } from './resource.js';

/** What a recovery message is (`rc_type`). */
export const RcomType = {
  STATUS: 1,
  NAMES: 2,
  LOOKUP: 3,
  LOCK: 4,
  STATUS_REPLY: 5,
  NAMES_REPLY: 6,
  LOOKUP_REPLY: 7,
  LOCK_REPLY: 8,
} as const;

/**
 * Recovery message (command RCOM), 48 bytes and a body. Little-endian.
 *
 * offset size field
 *      0   16 header
 *     16    4 type       `RcomType`
 *     20    4 result     signed
 *     24    8 id         the same in a request and its reply
 *     32    8 seq        the sender's recover_seq
 *     40    8 seq reply  in replies the request's seq
 *     48      body
 *
 * Source: Linux fs/dlm/dlm_internal.h, `dlm_rcom`.
 */
export interface Rcom {
  readonly type: number;
  readonly result: number;
  readonly id: number;
  readonly seq: number;
  readonly seqReply: number;
  /** Aliases the packet it was decoded from. */
  readonly body: Uint8Array;
}

const RCOM_BYTES = 48;
/** What fits a packet inside the envelope of 3.2. */
const MAX_BODY_BYTES = MAX_PACKET_BYTES - 24 - RCOM_BYTES;

/** Begins an RCOM packet; the body follows, then `endRcom`. */
export function beginRcom(
  writer: ByteWriter,
  version: number,
  globalId: number,
  from: number,
  { type, result, id, seq, seqReply }: Omit<Rcom, 'body'>,
): ByteWriter {
  writer.reset().u32(version).u32(globalId).u32(from).u16(0).u8(Command.RCOM).u8(0);
  return writer.u32(type).u32(result).u64(id).u64(seq).u64(seqReply);
}

/** Sets the length and gives the packet; aliases the writer's buffer. */
export function endRcom(writer: ByteWriter): Uint8Array {
  return writer.patch16(12, writer.length).bytes();
}

/** Reads a packet of command RCOM; undefined if it is short or of no known type. */
export function decodeRcom(bytes: Uint8Array): Rcom | undefined {
  if (bytes.length < RCOM_BYTES) return undefined;
  const reader = new ByteReader(bytes, true, HEADER_BYTES);
  const type = reader.u32();
  if (type < RcomType.STATUS || type > RcomType.LOCK_REPLY) return undefined;
  return {
    type,
    result: reader.i32(),
    id: reader.u64(),
    seq: reader.u64(),
    seqReply: reader.u64(),
    body: reader.rest(),
  };
}

/** In the flags of STATUS and its reply: the asker wants slots, the answer has them. */
export const NEED_SLOTS = 1;

/** Body of STATUS, 16 bytes: u32 flags, zero. */
export function writeStatus(writer: ByteWriter, flags: number): void {
  writer.u32(flags).zeros(12);
}

/** The flags of a STATUS; 0 if the body is short, as that of protocols before slots is. */
export function statusFlagsOf(body: Uint8Array): number {
  return new ByteReader(body, true).u32();
}

/** A member and its slot: a small number from 1 that it keeps. */
export interface Slot {
  readonly nodeid: number;
  readonly slot: number;
}

/**
 * Body of STATUS_REPLY, 32 bytes and 16 for each slot. The message's result is the status.
 *
 * offset size field
 *      0    4 lvblen
 *      4    4 lsflags
 *      8    4 flags       NEED_SLOTS: slots follow
 *     12    2 our slot
 *     14    2 number of slots
 *     16    4 generation
 *     20   12 –           zero
 *     32   16 each slot:  u32 node id, u16 slot, zero
 *
 * Source: Linux fs/dlm/dlm_internal.h, `rcom_config`, `rcom_slot`.
 */
export interface StatusReply {
  readonly lvblen: number;
  readonly lsflags: number;
  readonly flags: number;
  readonly ourSlot: number;
  readonly generation: number;
  readonly slots: readonly Slot[];
}

export function writeStatusReply(writer: ByteWriter, reply: StatusReply): void {
  const { lvblen, lsflags, flags, ourSlot, generation, slots } = reply;
  writer.u32(lvblen).u32(lsflags).u32(flags).u16(ourSlot).u16(slots.length).u32(generation).zeros(12);
  for (const { nodeid, slot } of slots) writer.u32(nodeid).u16(slot).zeros(10);
}

/** Undefined if the body is short. */
export function decodeStatusReply(body: Uint8Array): StatusReply | undefined {
  const reader = new ByteReader(body, true);
  const lvblen = reader.u32();
  const lsflags = reader.u32();
  const flags = reader.u32();
  const ourSlot = reader.u16();
  const count = reader.u16();
  const generation = reader.u32();
  reader.skip(12);
  if (!reader.ok || reader.left < 16 * count) return undefined;
  const slots: Slot[] = [];
  for (let i = 0; i < count; i++) {
    slots.push({ nodeid: reader.u32(), slot: reader.u16() });
    reader.skip(10);
  }
  return { lvblen, lsflags, flags, ourSlot, generation, slots };
}

const NO_MORE_NAMES = 0xffff;

/**
 * Body of NAMES_REPLY: records of a big-endian u16 length and the name; a length of 0 ends a block that has a
 * successor, 0xffff ends the last one.
 *
 * Writes names from `from` on and gives the index of the first that did not fit, or `names.length`.
 *
 * Source: Linux fs/dlm/dir.c, `dlm_copy_master_names`.
 */
export function writeNames(writer: ByteWriter, names: readonly string[], from: number): number {
  let left = MAX_BODY_BYTES;
  for (let i = from; i < names.length; i++) {
    const name = names[i]!;
    // Room for the record and for the one that ends the block.
    if (4 + name.length > left) {
      writeLength(writer, 0);
      return i;
    }
    writeLength(writer, name.length);
    for (let k = 0; k < name.length; k++) writer.u8(name.charCodeAt(k));
    left -= 2 + name.length;
  }
  writeLength(writer, NO_MORE_NAMES);
  return names.length;
}

function writeLength(writer: ByteWriter, length: number): void {
  writer.u8(length >> 8).u8(length & 0xff);
}

/** The names of one block; undefined if the body is malformed. */
export function decodeNames(body: Uint8Array): { readonly names: string[]; readonly isLast: boolean } | undefined {
  const names: string[] = [];
  let at = 0;
  while (at + 2 <= body.length) {
    const length = (body[at]! << 8) | body[at + 1]!;
    at += 2;
    if (length === NO_MORE_NAMES) return { names, isLast: true };
    if (length === 0) return names.length === 0 ? undefined : { names, isLast: false };
    if (length > 64 || at + length > body.length) return undefined;
    names.push(latin1(body, at, at + length));
    at += length;
  }
  return undefined;
}

/**
 * Body of LOCK and LOCK_REPLY, 108 bytes and the value block if the lock has one.
 *
 * offset size field
 *      0    4 pid
 *      4    4 lkid           the owner's
 *      8    4 remid          the new master's, in the reply
 *     12    8 parent ids     zero
 *     20    4 exflags
 *     24    4 flags
 *     28    4 lvbseq
 *     32    4 result         signed, in the reply
 *     36    1 rqmode         signed
 *     37    1 grmode         signed
 *     38    1 status         `LockStatus`
 *     39    1 asts
 *     40    2 wait type
 *     42    2 length of the name
 *     44   64 name           zero filled
 *    108      value block
 *
 * Source: Linux fs/dlm/dlm_internal.h, `rcom_lock`.
 */
export interface RcomLock {
  readonly pid: number;
  readonly lkid: number;
  readonly remid: number;
  readonly parentLkid: number;
  readonly exflags: number;
  readonly flags: number;
  readonly lvbseq: number;
  readonly result: number;
  readonly rqmode: number;
  readonly grmode: number;
  readonly status: number;
  readonly asts: number;
  readonly waitType: number;
  readonly name: string;
  /** Empty if the lock has none; aliases the packet it was decoded from. */
  readonly lvb: Uint8Array;
}

const NAME_BYTES = 64;
const LOCK_BYTES = 108;

export function writeLock(writer: ByteWriter, lock: RcomLock): void {
  writer.u32(lock.pid).u32(lock.lkid).u32(lock.remid).u32(lock.parentLkid).u32(0);
  writer.u32(lock.exflags).u32(lock.flags).u32(lock.lvbseq).u32(lock.result);
  writer.u8(lock.rqmode).u8(lock.grmode).u8(lock.status).u8(lock.asts);
  writer.u16(lock.waitType).u16(lock.name.length);
  for (let i = 0; i < lock.name.length; i++) writer.u8(lock.name.charCodeAt(i));
  writer.zeros(NAME_BYTES - lock.name.length).raw(lock.lvb);
}

/** Undefined if the body is short, or a mode, the status or the name's length are none. */
export function decodeLock(body: Uint8Array): RcomLock | undefined {
  if (body.length < LOCK_BYTES) return undefined;
  const view = viewOf(body);
  const nameLength = view.getUint16(42, true);
  const lock: RcomLock = {
    pid: view.getUint32(0, true),
    lkid: view.getUint32(4, true),
    remid: view.getUint32(8, true),
    parentLkid: view.getUint32(12, true),
    exflags: view.getUint32(20, true),
    flags: view.getUint32(24, true),
    lvbseq: view.getUint32(28, true),
    result: view.getInt32(32, true),
    rqmode: view.getInt8(36),
    grmode: view.getInt8(37),
    status: view.getUint8(38),
    asts: view.getUint8(39),
    waitType: view.getUint16(40, true),
    name: nameLength > NAME_BYTES ? '' : latin1(body, 44, 44 + nameLength),
    lvb: body.subarray(LOCK_BYTES),
  };
  return nameLength <= NAME_BYTES && isSound(lock) ? lock : undefined;
}

function isSound({ rqmode, grmode, status }: RcomLock): boolean {
  if (rqmode < Mode.IV || rqmode > Mode.EX || grmode < Mode.IV || grmode > Mode.EX) return false;
  return status >= LockStatus.waiting && status <= LockStatus.convert;
}

/** The body of a LOCK's reply: its first 108 bytes with two fields filled in. */
export function writeLockReply(writer: ByteWriter, body: Uint8Array, remid: number, result: number): void {
  const at = writer.length;
  writer.raw(body, LOCK_BYTES);
  writer.patch32(at + 8, remid).patch32(at + 32, result);
}
