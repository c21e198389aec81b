import { LockFlag } from './lock-flags.js';
import { isMode, Mode } from './mode.js';
import { Command, MAX_PACKET_BYTES, type Packet, Prefixes, setHeader } from './packet-header.js';
import type { NameBytes } from './resource-table.js';

/** What a message of locking is (`m_type`). */
export const MessageType = {
  REQUEST: 1,
  CONVERT: 2,
  UNLOCK: 3,
  CANCEL: 4,
  REQUEST_REPLY: 5,
  CONVERT_REPLY: 6,
  UNLOCK_REPLY: 7,
  CANCEL_REPLY: 8,
  GRANT: 9,
  BAST: 10,
  LOOKUP: 11,
  REMOVE: 12,
  LOOKUP_REPLY: 13,
  PURGE: 14,
} as const;

/** Bits of `asts`: which functions the owner has. */
export const Asts = { CAST: 1, BAST: 2 } as const;

/**
 * Message of locking (command MSG), 88 bytes and a name or a value block. Little-endian.
 *
 * offset size field
 *      0   16 header
 *     16    4 type          `MessageType`
 *     20    4 nodeid        the lock's other node; LOOKUP_REPLY: the master
 *     24    4 pid
 *     28    4 lkid          the sender's
 *     32    4 remid         the receiver's
 *     36    4 parent lkid   zero
 *     40    4 parent remid  zero
 *     44    4 exflags
 *     48    4 sbflags
 *     52    4 flags
 *     56    4 lvbseq
 *     60    4 hash          of the resource's name
 *     64    4 status        1 waiting, 2 granted, 3 converting
 *     68    4 grmode        signed
 *     72    4 rqmode        signed
 *     76    4 bastmode      signed
 *     80    4 asts          `Asts`
 *     84    4 result        signed
 *     88      name (REQUEST, LOOKUP, REMOVE) or value block, to the end of the packet
 *
 * Source: Linux fs/dlm/dlm_internal.h, `dlm_message`.
 */
export class Message {
  type = 0;
  nodeid = 0;
  pid = 0;
  lkid = 0;
  remid = 0;
  exflags = 0;
  sbflags = 0;
  flags = 0;
  lvbseq = 0;
  hash = 0;
  status = 0;
  grmode: number = Mode.IV;
  rqmode: number = Mode.IV;
  bastmode: number = Mode.IV;
  asts = 0;
  result = 0;
  /** What follows the fields: a name or a value block. Aliases the packet that it was decoded from. */
  extra: Uint8Array = NOTHING;
  extraAt = 0;
  extraLength = 0;

  /** Back to a message in which every field is zero and no mode is given. */
  reset(type: number): this {
    this.type = type;
    this.nodeid = this.pid = this.lkid = this.remid = 0;
    this.exflags = this.sbflags = this.flags = this.lvbseq = this.hash = 0;
    this.status = this.asts = this.result = 0;
    this.grmode = this.rqmode = this.bastmode = 0;
    return this.carry(NOTHING);
  }

  /** As `extra`. */
  carry(bytes: Uint8Array): this {
    this.extra = bytes;
    this.extraAt = 0;
    this.extraLength = bytes.length;
    return this;
  }

  /** Copies the value block, or as much of it as came. */
  copyExtra(to: Uint8Array): void {
    const { extra, extraAt } = this;
    const length = Math.min(this.extraLength, to.length);
    for (let i = 0; i < length; i++) to[i] = extra[extraAt + i]!;
  }
}

const NOTHING = new Uint8Array(0);
const MESSAGE_BYTES = 88;
const MAX_NAME_BYTES = 64;

/** Writes packets of locking into one buffer that it owns and reuses. */
export class MessageWriter {
  readonly #bytes = new Uint8Array(MAX_PACKET_BYTES);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #packets = new Prefixes(this.#bytes);

  /**
   * The packet of a message: its fields, then the name's characters or the value block. Aliases the writer's buffer
   * and is valid until the next call.
   */
  write(version: number, globalId: number, from: number, m: Message, name: string | undefined): Uint8Array {
    const view = this.#view;
    const extra = name === undefined ? m.extraLength : name.length;
    const length = MESSAGE_BYTES + extra;
    setHeader(view, version, globalId, from, length, Command.MSG);
    view.setUint32(16, m.type, true);
    view.setInt32(20, m.nodeid, true);
    view.setUint32(24, m.pid, true);
    view.setUint32(28, m.lkid, true);
    view.setUint32(32, m.remid, true);
    view.setUint32(36, 0, true);
    view.setUint32(40, 0, true);
    view.setUint32(44, m.exflags, true);
    view.setUint32(48, m.sbflags, true);
    view.setUint32(52, m.flags, true);
    view.setUint32(56, m.lvbseq, true);
    view.setUint32(60, m.hash, true);
    view.setUint32(64, m.status, true);
    view.setInt32(68, m.grmode, true);
    view.setInt32(72, m.rqmode, true);
    view.setInt32(76, m.bastmode, true);
    view.setUint32(80, m.asts, true);
    view.setInt32(84, m.result, true);
    if (name !== undefined) for (let i = 0; i < extra; i++) this.#bytes[MESSAGE_BYTES + i] = name.charCodeAt(i);
    else if (extra > 0) this.#bytes.set(m.extra, MESSAGE_BYTES);
    return this.#packets.of(length);
  }
}

export type MessageDefect = 'short' | 'unknown-type' | 'bad-mode' | 'bad-flags' | 'long-name';

/** Reads a packet of command MSG, whose header was checked, into `m`; gives the reason if it is no message. */
export function decodeMessage({ bytes, view, at, end }: Packet, m: Message): MessageDefect | undefined {
  if (end - at < MESSAGE_BYTES) return 'short';
  m.type = view.getUint32(at + 16, true);
  m.nodeid = view.getInt32(at + 20, true);
  m.pid = view.getUint32(at + 24, true);
  m.lkid = view.getUint32(at + 28, true);
  m.remid = view.getUint32(at + 32, true);
  m.exflags = view.getUint32(at + 44, true);
  m.sbflags = view.getUint32(at + 48, true);
  m.flags = view.getUint32(at + 52, true);
  m.lvbseq = view.getUint32(at + 56, true);
  m.hash = view.getUint32(at + 60, true);
  m.status = view.getUint32(at + 64, true);
  m.grmode = view.getInt32(at + 68, true);
  m.rqmode = view.getInt32(at + 72, true);
  m.bastmode = view.getInt32(at + 76, true);
  m.asts = view.getUint32(at + 80, true);
  m.result = view.getInt32(at + 84, true);
  m.extra = bytes;
  m.extraAt = at + MESSAGE_BYTES;
  m.extraLength = end - m.extraAt;
  return defectOf(m);
}

function defectOf(m: Message): MessageDefect | undefined {
  if (m.type < MessageType.REQUEST || m.type > MessageType.PURGE) return 'unknown-type';
  if (!isModeOrNone(m.grmode) || !isModeOrNone(m.rqmode) || !isModeOrNone(m.bastmode)) return 'bad-mode';
  switch (m.type) {
    case MessageType.REQUEST:
    case MessageType.LOOKUP:
      if (!isMode(m.rqmode)) return 'bad-mode';
      // Whatever else is queued or granted, it would be granted, too.
      if ((m.exflags & LockFlag.EXPEDITE) !== 0 && m.rqmode !== Mode.NL) return 'bad-flags';
      return isName(m) ? undefined : 'long-name';
    case MessageType.REMOVE:
      return isName(m) ? undefined : 'long-name';
    case MessageType.CONVERT:
      if ((m.exflags & LockFlag.EXPEDITE) !== 0) return 'bad-flags';
      return isMode(m.rqmode) ? undefined : 'bad-mode';
    case MessageType.BAST:
      return isMode(m.bastmode) ? undefined : 'bad-mode';
  }
  return undefined;
}

function isModeOrNone(mode: number): boolean {
  return mode >= Mode.IV && mode <= Mode.EX;
}

function isName(m: Message): boolean {
  return m.extraLength <= MAX_NAME_BYTES;
}

/** The name that a REQUEST, LOOKUP or REMOVE carries goes into `name`. */
export function nameOf(m: Message, name: NameBytes): NameBytes {
  return name.turnTo(m.extra, m.extraAt, m.extraAt + m.extraLength);
}
