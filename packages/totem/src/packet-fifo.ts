import type { HeldPacket } from './held-packet.js';

/** Packets that wait for the token, first in, first out. Grows up to `capacity`. */
export class PacketFifo {
  readonly capacity: number;
  #packets: HeldPacket[] = [];
  #first = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get length(): number {
    return this.#packets.length - this.#first;
  }

  /** How many more it takes. One place always stays free (`cs_queue_avail`). */
  get available(): number {
    return this.capacity - this.length - 1;
  }

  push(packet: HeldPacket): void {
    this.#packets.push(packet);
  }

  /** Takes the first packet out; undefined when there is none. */
  shift(): HeldPacket | undefined {
    const packet = this.#packets[this.#first];
    if (packet === undefined) return undefined;
    this.#first += 1;
    if (this.#first === this.#packets.length) {
      this.#packets.length = 0;
      this.#first = 0;
    } else if (this.#first >= 1024 && this.#first * 2 > this.#packets.length) {
      this.#packets = this.#packets.slice(this.#first);
      this.#first = 0;
    }
    return packet;
  }

  clear(): void {
    this.#packets.length = 0;
    this.#first = 0;
  }
}
