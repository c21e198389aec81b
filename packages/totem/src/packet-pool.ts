import { HeldPacket } from './held-packet.js';

/** Packets that wait here at most: several rotations of a full window. */
const MOST_FREE = 256;

/**
 * Packets that everybody has, to be filled again: under load nearly all are of the same length, and a packet's way through
 * a node allocates nothing.
 */
export class PacketPool {
  readonly #free = new Map<number, HeldPacket[]>();
  #count = 0;

  /** One of `length` bytes, whose content is of no meaning. */
  take(length: number): HeldPacket {
    const packet = this.#free.get(length)?.pop();
    if (packet === undefined) return new HeldPacket(length);
    this.#count -= 1;
    return packet;
  }

  /** Gives back one that nobody looks at any more. */
  readonly release = (packet: HeldPacket): void => {
    // Lengths that are out of use make room.
    if (this.#count === MOST_FREE) {
      this.#free.clear();
      this.#count = 0;
    }
    const { length } = packet.bytes;
    const free = this.#free.get(length);
    if (free === undefined) this.#free.set(length, [packet]);
    else free.push(packet);
    this.#count += 1;
  };
}
