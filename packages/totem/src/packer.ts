import { ByteWriter } from '@quorate/kernel';

/** Header of totempg in a packet: version, type, fragmented, continuation, msg_count. */
export const PACKING_HEADER_BYTES = 8;

/** Takes a full packet: the payload of one MCAST, lent for the call. It is safe if any part of it is of a safe message. */
export type SendPacked = (payload: Uint8Array, isSafe: boolean) => void;

/**
 * Packs messages into packets, and cuts those that do not fit.
 *
 * Payload of an MCAST, in the sender's byte order:
 *
 * offset size field
 *      0    2 version        0
 *      2    2 type           0
 *      4    1 fragmented     not 0: the last piece goes on in this sender's next packet, under this number
 *      5    1 continuation   not 0: the first piece continues the previous packet; its `fragmented`
 *      6    2 msg_count m
 *      8   2m lengths of the pieces
 *   8+2m      pieces
 *
 * Vectors are copied into the packet while they fit with room to spare; one that does not is cut, and the packet is sent
 * at once. What remains waits for more, or for the next token (`flush`).
 *
 * Source: corosync exec/totempg.c, `mcast_msg` and `callback_token_received_fn`.
 */
export class Packer {
  readonly #send: SendPacked;
  readonly #data: Uint8Array;
  readonly #packet: ByteWriter;
  /** Lengths of the pieces that are complete in this packet. */
  readonly #lengths: number[] = [];
  #filled = 0;
  #isSafe = false;
  /** What the first piece of this packet continues. */
  #continuation = 0;
  /** Next number of a cut, 1..255. */
  #nextFragment = 1;

  /** `netMtu` is what a totemsrp payload may hold, after both MCAST headers: 1410 on Ethernet. */
  constructor(netMtu: number, send: SendPacked) {
    this.#data = new Uint8Array(netMtu - PACKING_HEADER_BYTES);
    this.#packet = new ByteWriter(true, netMtu);
    this.#send = send;
  }

  get isEmpty(): boolean {
    return this.#lengths.length === 0;
  }

  /** Adds one message, given in parts. The parts decide where it is cut; empty ones do not count. */
  add(parts: readonly Uint8Array[], isSafe: boolean): void {
    const vectors = parts.filter((part) => part.length > 0);
    const last = vectors.at(-1);
    let room = this.#data.length - 2 * (this.#lengths.length + 1);
    let length = 0;
    for (const vector of vectors) {
      let base = 0;
      while (base < vector.length) {
        // It is the whole vector that must fit, even if most of it is sent already.
        const isRoomy = vector.length + this.#filled < room - 2;
        const count = isRoomy ? vector.length - base : Math.min(vector.length - base, room - this.#filled);
        this.#data.set(vector.subarray(base, base + count), this.#filled);
        this.#filled += count;
        if (isSafe) this.#isSafe = true;
        length += count;
        base += count;
        if (isRoomy) {
          this.#nextFragment = 1;
          continue;
        }
        this.#lengths.push(length);
        this.#sendPacket(vector === last && base === vector.length ? 0 : this.#takeFragmentNumber());
        room = this.#data.length - 2;
        length = 0;
      }
    }
    if (length > 0) this.#lengths.push(length);
  }

  /** Sends what waits, if anything does. */
  flush(): void {
    if (!this.isEmpty) this.#sendPacket(0);
  }

  #takeFragmentNumber(): number {
    const number = this.#nextFragment === 0 ? 1 : this.#nextFragment;
    this.#nextFragment = (number + 1) & 0xff;
    return number;
  }

  #sendPacket(fragmented: number): void {
    const packet = this.#packet.reset().u16(0).u16(0).u8(fragmented).u8(this.#continuation).u16(this.#lengths.length);
    for (const length of this.#lengths) packet.u16(length);
    packet.raw(this.#data.subarray(0, this.#filled));
    this.#continuation = fragmented;
    this.#lengths.length = 0;
    this.#filled = 0;
    const isSafe = this.#isSafe;
    this.#isSafe = false;
    this.#send(packet.bytes(), isSafe);
  }
}
