import { defineInvariant, type Invariant, type Stamped } from '@quorate/kernel';
import type { ConfigurationFact, DeliveredFact, SentFact } from '../fact.js';
import type { NodeId } from '../ring-id.js';
import { check, Positions, Rings } from './positions.js';

type Delivered = Stamped<DeliveredFact>;

/** Messages of a ring from which on those that every member delivered are forgotten. */
const MESSAGES_KEPT = 4096;

/** What is common knowledge about the order of one ring. */
class RingOrder {
  readonly #senders = new Map<number, NodeId>();
  readonly #lastOf = new Map<number, number>();
  /** Number of the first message delivered; the same everywhere, as recovery's numbers come before it. */
  first: number | undefined;

  lastOf(node: number): number | undefined {
    return this.#lastOf.get(node);
  }

  /** Enters a delivery; the sender that others found under this number if it is another one. */
  enter({ node, msgSeq, sender }: Delivered, members: readonly NodeId[]): NodeId | undefined {
    this.#lastOf.set(node, msgSeq);
    const known = this.#senders.get(msgSeq);
    if (known === undefined) this.#senders.set(msgSeq, sender);
    if (this.#senders.size > MESSAGES_KEPT && this.#senders.size % 256 === 0) this.#forget(members);
    return known === undefined || known === sender ? undefined : known;
  }

  #forget(members: readonly NodeId[]): void {
    const everywhere = Math.min(...members.map((member) => this.#lastOf.get(member) ?? 0));
    for (const seq of this.#senders.keys()) {
      if (seq > everywhere) return;
      this.#senders.delete(seq);
    }
  }
}

/** V9 and V10 of the package's list. */
export const agreed: Invariant = defineInvariant<ConfigurationFact | DeliveredFact>({
  id: 'S1',
  name: 'evs-agreed',
  statement:
    'Two nodes deliver the messages of one regular configuration in the same order, without gaps up to the last delivered.',
  kinds: ['totem.configuration', 'totem.delivered'],
  start() {
    const positions = new Positions();
    const orders = new Rings<RingOrder>();
    return check((fact, verdict) => {
      if (fact.kind === 'totem.configuration') return positions.move(fact);
      const { node, ring, msgSeq } = fact;
      const position = positions.of(fact);
      const order = orders.get(ring, () => new RingOrder());
      const last = order.lastOf(node);
      if (position.transitional === undefined) {
        order.first ??= msgSeq;
        const due = last === undefined ? order.first : last + 1;
        if (msgSeq !== due) verdict.violate(`${msgSeq} of ring ${ring} was delivered where ${due} was due`, [node]);
      } else if (last !== undefined && msgSeq <= last) {
        verdict.violate(`${msgSeq} of ring ${ring} was delivered after ${last}`, [node]);
      }
      const other = order.enter(fact, position.members);
      if (other === undefined) return;
      verdict.violate(`${msgSeq} of ring ${ring} is of node ${fact.sender} here and of node ${other} elsewhere`, [
        node,
      ]);
    });
  },
});

/** V1, its second half, and V8. */
export const once: Invariant = defineInvariant<ConfigurationFact | DeliveredFact>({
  id: 'S2',
  name: 'evs-once',
  statement:
    'No message is delivered twice, and none in a configuration other than its origin ring or the transitional one after it.',
  kinds: ['totem.configuration', 'totem.delivered'],
  start() {
    const positions = new Positions();
    const lastOf = new Map<number, { readonly ring: string; readonly life: number; readonly seq: number }>();
    return check((fact, verdict) => {
      if (fact.kind === 'totem.configuration') return positions.move(fact);
      const { node, life, ring, msgSeq } = fact;
      const position = positions.of(fact);
      if (ring !== position.ring) {
        verdict.violate(`${msgSeq} of ring ${ring} was delivered in ring ${position.ring || 'none'}`, [node]);
      }
      const last = lastOf.get(node);
      if (last?.ring === ring && last.life === life && msgSeq <= last.seq) {
        verdict.violate(`${msgSeq} of ring ${ring} was delivered again`, [node]);
      }
      lastOf.set(node, { ring, life, seq: msgSeq });
    });
  },
});

/** V13. */
export const selfDelivery: Invariant = defineInvariant<ConfigurationFact | SentFact | DeliveredFact>({
  id: 'S6',
  name: 'evs-self',
  statement: 'A node that is up delivers its own messages, in order, before it leaves the ring that ordered them.',
  kinds: ['totem.configuration', 'totem.sent', 'totem.delivered'],
  start() {
    const sent = new Map<number, { life: number; ring: string; waiting: number[] }>();
    return check((fact, verdict) => {
      const { node, life } = fact;
      let own = sent.get(node);
      if (own === undefined || own.life !== life) {
        own = { life, ring: '', waiting: [] };
        sent.set(node, own);
      }
      if (fact.kind === 'totem.sent') {
        own.ring = fact.ring;
        own.waiting.push(fact.msgSeq);
      } else if (fact.kind === 'totem.delivered') {
        if (fact.sender !== node || fact.ring !== own.ring) return;
        const due = own.waiting.shift();
        if (due !== fact.msgSeq) verdict.violate(`own ${fact.msgSeq} delivered where own ${due} was due`, [node]);
      } else if (fact.type === 'regular') {
        const lost = own.waiting;
        if (lost.length > 0) verdict.violate(`own ${lost.join(' ')} of ring ${own.ring} never delivered`, [node]);
        own.waiting = [];
      }
    });
  },
});
