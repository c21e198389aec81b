import { ByteReader, getU64, setU64, viewOf } from '@quorate/kernel';
import { Command, MAX_PACKET_BYTES, type Packet, Prefixes, setHeader } from './packet-header.js';
import { NameBytes } from './resource-table.js';

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
export class Rcom {
  type = 0;
  result = 0;
  id = 0;
  seq = 0;
  seqReply = 0;
  /** What it stands in, until `end`: the body aliases the packet that it was decoded from. */
  bytes: Uint8Array = NOTHING;
  view: DataView = viewOf(NOTHING);
  bodyAt = 0;
  end = 0;

  get bodyLength(): number {
    return this.end - this.bodyAt;
  }

  get body(): Uint8Array {
    return this.bytes.subarray(this.bodyAt, this.end);
  }
}

const NOTHING = new Uint8Array(0);
/** Where the body begins. */
export const RCOM_BYTES = 48;
/** What fits a packet inside the envelope of 3.2. */
export const MAX_BODY_BYTES: number = MAX_PACKET_BYTES - 24 - RCOM_BYTES;

/** Reads a packet of command RCOM into `rcom`; false if it is short or of no known type. */
export function decodeRcom({ bytes, view, at, end }: Packet, rcom: Rcom): boolean {
  if (end - at < RCOM_BYTES) return false;
  rcom.type = view.getUint32(at + 16, true);
  if (rcom.type < RcomType.STATUS || rcom.type > RcomType.LOCK_REPLY) return false;
  rcom.result = view.getInt32(at + 20, true);
  rcom.id = getU64(view, at + 24, true);
  rcom.seq = getU64(view, at + 32, true);
  rcom.seqReply = getU64(view, at + 40, true);
  rcom.bytes = bytes;
  rcom.view = view;
  rcom.bodyAt = at + RCOM_BYTES;
  rcom.end = end;
  return true;
}

/** Writes packets of recovery messages into one buffer that it owns and reuses. */
export class RcomWriter {
  /** Where the body is to be written, from `RCOM_BYTES` on. */
  readonly bytes: Uint8Array = new Uint8Array(MAX_PACKET_BYTES);
  /** The same. */
  readonly view: DataView = new DataView(this.bytes.buffer);
  readonly #packets = new Prefixes(this.bytes);

  /** Begins a message; its body is to be written then, and `end` called. */
  begin(type: number, result: number, id: number, seq: number, seqReply: number): this {
    const { view } = this;
    view.setUint32(16, type, true);
    view.setInt32(20, result, true);
    setU64(view, 24, id, true);
    setU64(view, 32, seq, true);
    setU64(view, 40, seqReply, true);
    return this;
  }

  /** The packet with a body of so many bytes. Aliases the writer's buffer and is valid until the next `begin`. */
  end(version: number, globalId: number, from: number, bodyLength: number): Uint8Array {
    const length = RCOM_BYTES + bodyLength;
    setHeader(this.view, version, globalId, from, length, Command.RCOM);
    return this.#packets.of(length);
  }
}

// Bodies are written behind the 48 bytes of a message; what writes one gives its length.

/** In the flags of STATUS and its reply: the asker wants slots, the answer has them. */
export const NEED_SLOTS = 1;

/** Body of STATUS, 16 bytes: u32 flags, zero. */
export function writeStatus({ view }: RcomWriter, flags: number): number {
  view.setUint32(RCOM_BYTES, flags, true);
  for (let at = 4; at < 16; at += 4) view.setUint32(RCOM_BYTES + at, 0, true);
  return 16;
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

export function writeStatusReply({ view }: RcomWriter, reply: StatusReply): number {
  const { lvblen, lsflags, flags, ourSlot, generation, slots } = reply;
  view.setUint32(RCOM_BYTES, lvblen, true);
  view.setUint32(RCOM_BYTES + 4, lsflags, true);
  view.setUint32(RCOM_BYTES + 8, flags, true);
  view.setUint16(RCOM_BYTES + 12, ourSlot, true);
  view.setUint16(RCOM_BYTES + 14, slots.length, true);
  view.setUint32(RCOM_BYTES + 16, generation, true);
  for (let at = 20; at < 32; at += 4) view.setUint32(RCOM_BYTES + at, 0, true);
  let at = 32;
  for (const { nodeid, slot } of slots) {
    view.setUint32(RCOM_BYTES + at, nodeid, true);
    view.setUint32(RCOM_BYTES + at + 4, slot, true);
    setU64(view, RCOM_BYTES + at + 8, 0, true);
    at += 16;
  }
  return at;
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
 * Writes names from `from` on, as many as fit.
 *
 * Source: Linux fs/dlm/dir.c, `dlm_copy_master_names`.
 */
export function writeNames({ bytes, view }: RcomWriter, names: readonly string[], from: number): number {
  let length = 0;
  for (let i = from; i < names.length; i++) {
    const name = names[i]!;
    // Room for the record and for the one that ends the block.
    if (length + 4 + name.length > MAX_BODY_BYTES) {
      view.setUint16(RCOM_BYTES + length, 0);
      return length + 2;
    }
    view.setUint16(RCOM_BYTES + length, name.length);
    writeName(bytes, RCOM_BYTES + length + 2, name);
    length += 2 + name.length;
  }
  view.setUint16(RCOM_BYTES + length, NO_MORE_NAMES);
  return length + 2;
}

/** The characters of a name, which is also the body of NAMES and LOOKUP. */
export function writeName(bytes: Uint8Array, at: number, name: string): number {
  for (let i = 0; i < name.length; i++) bytes[at + i] = name.charCodeAt(i);
  return name.length;
}

/** The names of one block, which alias it; undefined if the body is malformed. */
export function decodeNames(body: Uint8Array): { readonly names: NameBytes[]; readonly isLast: boolean } | undefined {
  const names: NameBytes[] = [];
  let at = 0;
  while (at + 2 <= body.length) {
    const length = (body[at]! << 8) | body[at + 1]!;
    at += 2;
    if (length === NO_MORE_NAMES) return { names, isLast: true };
    if (length === 0) return names.length === 0 ? undefined : { names, isLast: false };
    if (length > 64 || at + length > body.length) return undefined;
    names.push(new NameBytes().turnTo(body, at, at + length));
    at += length;
  }
  return undefined;
}
