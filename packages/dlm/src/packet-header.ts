import { viewOf } from '@quorate/kernel';

/** Protocol versions: major in the upper half, minor in the lower. 3.2 adds the envelope of midcomms. */
export const Version = { v3_1: 0x00030001, v3_2: 0x00030002 } as const;
export type Version = (typeof Version)[keyof typeof Version];

/** What a packet is (`h_cmd`). OPTS, ACK and FIN exist in 3.2 only. */
export const Command = { MSG: 1, RCOM: 2, OPTS: 3, ACK: 4, FIN: 5 } as const;

const NOTHING = new Uint8Array(0);

/**
 * Header of every packet, 16 bytes. Little-endian.
 *
 * offset size field
 *      0    4 version
 *      4    4 MSG, RCOM: global id of the lockspace; OPTS, ACK: sequence number
 *      8    4 node id of the sender
 *     12    2 length of the packet with this header, 16..4096
 *     14    1 command
 *     15    1 –         zero
 *
 * An object is lent with the bytes that it stands in: it serves for one packet after the other.
 *
 * Source: Linux fs/dlm/dlm_internal.h, `dlm_header`.
 */
export class Packet {
  version = 0;
  /** Global id or sequence number. */
  word = 0;
  nodeid = 0;
  command = 0;
  /** Where it stands; other packets may stand around it. */
  bytes: Uint8Array = NOTHING;
  view: DataView = viewOf(NOTHING);
  at = 0;
  end = 0;

  /** Turns to other bytes; `decode` has to follow. */
  turnTo(bytes: Uint8Array): this {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    return this;
  }

  /** False if it is shorter than a header, or if its length is not what the header says. */
  decode(at: number, end: number): boolean {
    const { view } = this;
    if (end - at < HEADER_BYTES || view.getUint16(at + 12, true) !== end - at) return false;
    this.version = view.getUint32(at, true);
    this.word = view.getUint32(at + 4, true);
    this.nodeid = view.getUint32(at + 8, true);
    this.command = view.getUint8(at + 14);
    this.at = at;
    this.end = end;
    return true;
  }

  /** Aliases the bytes that it stands in. */
  get ownBytes(): Uint8Array {
    return this.bytes.subarray(this.at, this.end);
  }
}

export const HEADER_BYTES = 16;
export const MAX_PACKET_BYTES = 4096;

export function setHeader(
  view: DataView,
  version: number,
  word: number,
  nodeid: number,
  length: number,
  cmd: number,
): void {
  view.setUint32(0, version, true);
  view.setUint32(4, word, true);
  view.setUint32(8, nodeid, true);
  view.setUint16(12, length, true);
  view.setUint8(14, cmd);
  view.setUint8(15, 0);
}

/** Packets longer than that are rare: each has an array of its own. */
const MAX_KEPT_BYTES = 512;

/** The beginnings of one buffer, each made once: an array costs more than to fill it. */
export class Prefixes {
  readonly #bytes: Uint8Array;
  readonly #kept: (Uint8Array | undefined)[] = Array<undefined>(MAX_KEPT_BYTES + 1).fill(undefined);

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  of(length: number): Uint8Array {
    if (length > MAX_KEPT_BYTES) return this.#bytes.subarray(0, length);
    let prefix = this.#kept[length];
    if (prefix === undefined) {
      prefix = this.#bytes.subarray(0, length);
      this.#kept[length] = prefix;
    }
    return prefix;
  }
}

export type StreamDefect = 'bad-length';

/**
 * Cuts a byte stream into packets by the length in their headers. One per connection.
 *
 * Source: Linux fs/dlm/lowcomms.c, `receive_from_sock`; midcomms.c, `dlm_process_incoming_buffer`.
 */
export class PacketStream {
  #kept: Uint8Array = new Uint8Array(0);

  /**
   * Takes the next bytes of the stream and gives its whole packets, as one run of bytes that may be handed to a `Dlm`
   * as they are; empty if no packet is whole yet. What it gives may alias `bytes`.
   *
   * `bad-length`: the stream is no longer to be understood, and its connection is to be closed.
   */
  push(bytes: Uint8Array): Uint8Array | StreamDefect {
    let all = bytes;
    if (this.#kept.length > 0) {
      all = new Uint8Array(this.#kept.length + bytes.length);
      all.set(this.#kept);
      all.set(bytes, this.#kept.length);
    }
    let end = 0;
    while (all.length - end >= HEADER_BYTES) {
      const length = packetLength(all, end);
      if (length === 0) return 'bad-length';
      if (end + length > all.length) break;
      end += length;
    }
    this.#kept = all.slice(end);
    return all.subarray(0, end);
  }
}

/** Length of the packet at `at`, which has a whole header; 0 if no packet has such a length. */
export function packetLength(bytes: Uint8Array, at: number): number {
  const length = bytes[at + 12]! | (bytes[at + 13]! << 8);
  return length >= HEADER_BYTES && length <= MAX_PACKET_BYTES ? length : 0;
}
