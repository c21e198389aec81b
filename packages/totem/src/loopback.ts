import { MICROSECOND, type Nanos } from '@quorate/kernel';

/** What a datagram takes from a node to itself, through its own socket. */
const OWN_HOP = 20 * MICROSECOND;

/** What a node sends to itself. It arrives a little later and in its order: what came in before it is heard before it. */
export class Loopback {
  readonly #datagrams: { readonly at: Nanos; readonly bytes: Uint8Array }[] = [];

  /** When the next one arrives; Infinity when none is on its way. */
  get deadline(): Nanos {
    return this.#datagrams[0]?.at ?? Infinity;
  }

  /** Copies the bytes. */
  send(now: Nanos, bytes: Uint8Array): void {
    this.#datagrams.push({ at: now + OWN_HOP, bytes: bytes.slice() });
  }

  /** Takes out the next one that has arrived. */
  receive(now: Nanos): Uint8Array | undefined {
    return this.deadline <= now ? this.#datagrams.shift()!.bytes : undefined;
  }

  clear(): void {
    this.#datagrams.length = 0;
  }
}
