import { u16At } from '@quorate/kernel';
import { PACKING_HEADER_BYTES } from './packer.js';
import type { NodeId } from './ring-id.js';

/** Longest message, group prefix included; what would grow beyond it is dropped (`MESSAGE_SIZE_MAX`). */
export const MAX_MESSAGE_BYTES: number = 1024 * 1024;

/** A message whose end has not come yet. */
interface Partial {
  bytes: Uint8Array;
  length: number;
  /** `fragmented` of the packet that ended it, 0 when there is none. */
  lastFragment: number;
}

/** What one sender has begun. */
interface Chains {
  readonly normal: Partial;
  /** Begun while a normal one waits for the end of a synchronisation. */
  readonly trans: Partial;
}

/** A whole message, lent for the call, in the sender's byte order. */
export type DeliverMessage = (from: NodeId, message: Uint8Array, littleEndian: boolean) => void;

/**
 * Takes packets apart and puts cut messages together again, per sender.
 *
 * A sender has up to two messages begun: one that was cut when a configuration changed waits in the sender's normal queue
 * until synchronisation is over, and the messages of synchronisation come before its rest. corosync keeps two sets and
 * switches between them at both ends of synchronisation. Differs from it: which of the two a packet continues is read
 * from its `continuation`, so that it does not matter when the end of synchronisation becomes known here; and complete
 * messages in a packet whose first piece has no beginning here are delivered, where corosync drops them with it.
 *
 * Source: corosync exec/totempg.c, `totempg_deliver_fn`.
 */
export class Reassembly {
  readonly #deliver: DeliverMessage;
  readonly #senders = new Map<NodeId, Chains>();

  constructor(deliver: DeliverMessage) {
    this.#deliver = deliver;
  }

  /** Drops what a node has begun: it left, and if it comes back it begins anew. */
  forget(node: NodeId): void {
    this.#senders.delete(node);
  }

  /** Takes the payload of one MCAST; false if its pieces do not add up to it. */
  take(from: NodeId, payload: Uint8Array, littleEndian: boolean): boolean {
    if (payload.length < PACKING_HEADER_BYTES) return false;
    const fragmented = payload[4]!;
    const continuation = payload[5]!;
    const count = u16At(payload, 6, littleEndian);
    let at = PACKING_HEADER_BYTES + 2 * count;
    if (count === 0 || at > payload.length || !addsUp(payload, count, littleEndian)) return false;

    const chain = this.#chainFor(from, continuation);
    for (let i = 0; i < count; i++) {
      const end = at + u16At(payload, PACKING_HEADER_BYTES + 2 * i, littleEndian);
      const piece = payload.subarray(at, end);
      at = end;
      const isBegun = i > 0 || continuation === 0 || chain.lastFragment !== 0;
      const isCut = i === count - 1 && fragmented !== 0;
      if (!isBegun) continue;
      if (isCut) keep(chain, piece, fragmented);
      else this.#finish(from, chain, piece, littleEndian);
    }
    return true;
  }

  #chainFor(from: NodeId, continuation: number): Partial {
    let chains = this.#senders.get(from);
    if (chains === undefined) {
      chains = { normal: noPartial(), trans: noPartial() };
      this.#senders.set(from, chains);
    }
    const { normal, trans } = chains;
    if (continuation !== 0 && trans.lastFragment === continuation) return trans;
    if (continuation !== 0 && normal.lastFragment === continuation) return normal;
    // A new beginning: what the first piece continues, if anything, is not held here.
    const free = normal.lastFragment === 0 ? normal : trans;
    clear(free);
    return free;
  }

  #finish(from: NodeId, chain: Partial, piece: Uint8Array, littleEndian: boolean): void {
    if (chain.lastFragment === 0) return this.#deliver(from, piece, littleEndian);
    append(chain, piece);
    const whole = chain.bytes.subarray(0, chain.length);
    const isTooLong = chain.length > MAX_MESSAGE_BYTES;
    clear(chain);
    if (!isTooLong) this.#deliver(from, whole, littleEndian);
  }
}

function addsUp(payload: Uint8Array, count: number, littleEndian: boolean): boolean {
  let total = PACKING_HEADER_BYTES + 2 * count;
  for (let i = 0; i < count; i++) total += u16At(payload, PACKING_HEADER_BYTES + 2 * i, littleEndian);
  return total === payload.length;
}

function noPartial(): Partial {
  return { bytes: new Uint8Array(0), length: 0, lastFragment: 0 };
}

function clear(chain: Partial): void {
  chain.length = 0;
  chain.lastFragment = 0;
}

function keep(chain: Partial, piece: Uint8Array, fragmented: number): void {
  append(chain, piece);
  chain.lastFragment = fragmented;
}

/** Appends up to one packet beyond the limit, which marks the message as too long. */
function append(chain: Partial, piece: Uint8Array): void {
  if (chain.length > MAX_MESSAGE_BYTES) return;
  const length = chain.length + piece.length;
  if (length > chain.bytes.length) {
    const grown = new Uint8Array(Math.max(length, 2 * chain.bytes.length, 4096));
    grown.set(chain.bytes.subarray(0, chain.length));
    chain.bytes = grown;
  }
  chain.bytes.set(piece, chain.length);
  chain.length = length;
}
