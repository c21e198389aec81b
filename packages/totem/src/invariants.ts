import { type Check, defineInvariant, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import type { CpgFact } from './cpg/fact.js';
import type { ConfigurationFact, DeliveredFact, RingStoredFact, SentFact, TotemFact } from './fact.js';
import type { NodeId } from './ring-id.js';

type Configured = Stamped<ConfigurationFact>;
type Delivered = Stamped<DeliveredFact>;

/** Rings kept for comparison. Older ones are forgotten: nobody is in them any more. */
const RINGS_KEPT = 32;
/** Messages of a ring from which on those that every member delivered are forgotten. */
const MESSAGES_KEPT = 4096;

/** Where a node is: its last regular configuration, and the transitional one behind it if that has come. */
interface Position {
  life: number;
  /** Empty before the first. */
  ring: string;
  members: readonly NodeId[];
  transitional: { readonly ring: string; readonly members: readonly NodeId[] } | undefined;
}

/** Follows every node through its configurations. A new life begins without one. */
class Positions {
  readonly #positions = new Map<number, Position>();

  of({ node, life }: { readonly node: number; readonly life: number }): Position {
    let position = this.#positions.get(node);
    if (position === undefined || position.life !== life) {
      position = { life, ring: '', members: [], transitional: undefined };
      this.#positions.set(node, position);
    }
    return position;
  }

  /** To be called after the check looked at the position that the configuration ends. */
  move(fact: Configured): void {
    const position = this.of(fact);
    if (fact.type === 'transitional') {
      position.transitional = fact;
      return;
    }
    position.ring = fact.ring;
    position.members = fact.members;
    position.transitional = undefined;
  }
}

/** A map of rings that forgets the oldest. */
class Rings<T> {
  readonly #byName = new Map<string, T>();

  get(name: string, create: () => T): T {
    let value = this.#byName.get(name);
    if (value === undefined) {
      value = create();
      this.#byName.set(name, value);
      if (this.#byName.size > RINGS_KEPT) this.#byName.delete(this.#byName.keys().next().value!);
    }
    return value;
  }
}

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

const agreed = defineInvariant<ConfigurationFact | DeliveredFact>({
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

const once = defineInvariant<ConfigurationFact | DeliveredFact>({
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

const virtualSynchrony = defineInvariant<ConfigurationFact | DeliveredFact>({
  id: 'S3',
  name: 'evs-vs',
  statement:
    'Nodes that move together from one regular configuration to the next delivered the same messages in it and its transitional one.',
  kinds: ['totem.configuration', 'totem.delivered'],
  start() {
    const positions = new Positions();
    const delivered = new Map<number, { life: number; count: number; digest: number }>();
    const moves = new Rings<{ readonly node: number; readonly count: number; readonly digest: number }>();
    return check((fact, verdict) => {
      const { node, life } = fact;
      let sum = delivered.get(node);
      if (sum === undefined || sum.life !== life) {
        sum = { life, count: 0, digest: 0 };
        delivered.set(node, sum);
      }
      if (fact.kind === 'totem.delivered') {
        sum.count += 1;
        sum.digest = Math.imul(sum.digest ^ fact.msgSeq ^ (fact.sender << 20), 0x01000193) | 0;
        return;
      }
      const from = positions.of(fact).ring;
      positions.move(fact);
      if (fact.type === 'transitional') return;
      const { count, digest } = sum;
      delivered.delete(node);
      if (from === '') return;
      const first = moves.get(`${from}>${fact.ring}`, () => ({ node, count, digest }));
      if (first.count === count && first.digest === digest) return;
      verdict.violate(
        `from ring ${from} to ${fact.ring} node ${node} delivered ${count} messages (digest ${digest}), ` +
          `node ${first.node} ${first.count} (digest ${first.digest})`,
        [first.node, node],
      );
    });
  },
});

const transitional = defineInvariant<ConfigurationFact>({
  id: 'S4',
  name: 'evs-trans',
  statement:
    'Each regular configuration is preceded by exactly one transitional one whose members are a subset of both neighbours.',
  kinds: ['totem.configuration'],
  start() {
    const positions = new Positions();
    return check((fact, verdict) => {
      const { node, ring, members } = fact;
      const position = positions.of(fact);
      const before = position.transitional;
      if (fact.type === 'transitional') {
        if (before !== undefined) verdict.violate(`transitional ${ring} follows transitional ${before.ring}`, [node]);
        expectWithin(members, position.members, `transitional ${ring}`, `regular ${position.ring || 'none'}`);
      } else if (before === undefined || before.ring !== ring) {
        verdict.violate(`regular ${ring} follows transitional ${before?.ring ?? 'none'}`, [node]);
      } else {
        expectWithin(before.members, members, `transitional ${ring}`, `regular ${ring}`);
      }
      positions.move(fact);

      function expectWithin(inner: readonly NodeId[], outer: readonly NodeId[], what: string, of: string): void {
        const strangers = inner.filter((member) => !outer.includes(member));
        if (strangers.length > 0) verdict.violate(`${what} has ${strangers.join(' ')}, which ${of} has not`, [node]);
      }
    });
  },
});

const selfDelivery = defineInvariant<ConfigurationFact | SentFact | DeliveredFact>({
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

const ringId = defineInvariant<ConfigurationFact>({
  id: 'S7',
  name: 'evs-ringid',
  statement:
    'The ring sequence strictly grows at each node, over restarts, and no two member lists are installed under one ring id.',
  kinds: ['totem.configuration'],
  start() {
    const seqs = new Map<number, number>();
    const lists = new Rings<{ readonly node: number; readonly members: string }>();
    return check((fact, verdict) => {
      if (fact.type === 'transitional') return;
      const { node, ring } = fact;
      const seq = seqOf(ring);
      const last = seqs.get(node) ?? 0;
      if (seq <= last) verdict.violate(`ring ${ring} installed after sequence ${last.toString(16)}`, [node]);
      seqs.set(node, seq);
      const members = fact.members.join(' ');
      const first = lists.get(ring, () => ({ node, members }));
      if (first.members === members) return;
      verdict.violate(`ring ${ring} has members ${members} here, ${first.members} at node ${first.node}`, [
        first.node,
        node,
      ]);
    });
  },
});

const selfInclusion = defineInvariant<ConfigurationFact>({
  id: 'totem.V3',
  name: 'membership self-inclusion',
  statement:
    'A node is a member of every configuration it delivers, but for its first transitional one, which is empty.',
  kinds: ['totem.configuration'],
  start() {
    const positions = new Positions();
    return check((fact, verdict) => {
      const isFirst = positions.of(fact).ring === '' && fact.type === 'transitional' && fact.members.length === 0;
      if (!isFirst && !fact.members.includes(fact.node)) {
        verdict.violate(`${fact.type} ${fact.ring} has members ${fact.members.join(' ')}`, [fact.node]);
      }
      positions.move(fact);
    });
  },
});

const holesInTransitional = defineInvariant<ConfigurationFact | DeliveredFact>({
  id: 'totem.V11',
  name: 'senders in transitional',
  statement: 'What is delivered in a transitional configuration is of its members.',
  kinds: ['totem.configuration', 'totem.delivered'],
  start() {
    const positions = new Positions();
    return check((fact, verdict) => {
      if (fact.kind === 'totem.configuration') return positions.move(fact);
      const at = positions.of(fact).transitional;
      if (at === undefined || at.members.includes(fact.sender)) return;
      verdict.violate(`${fact.msgSeq} of node ${fact.sender} delivered in transitional ${at.ring}`, [fact.node]);
    });
  },
});

const stableStorage = defineInvariant<SentFact | RingStoredFact>({
  id: 'totem.V22',
  name: 'stable storage',
  statement: 'A ring sequence is stored before any message of that ring is sent.',
  kinds: ['totem.ring-stored', 'totem.sent'],
  start() {
    const stored = new Map<number, string>();
    return check((fact, verdict) => {
      if (fact.kind === 'totem.ring-stored') {
        stored.set(fact.node, fact.ring);
        return;
      }
      const last = stored.get(fact.node);
      if (last === fact.ring) return;
      verdict.violate(`sent in ring ${fact.ring} while ring ${last ?? 'none'} was stored`, [fact.node]);
    });
  },
});

const closure = defineInvariant<CpgFact>({
  id: 'totem.V23',
  name: 'CPG closure',
  statement: 'At one place of the order every node knows the same members of a process group.',
  kinds: ['cpg.members'],
  start() {
    const rings = new Rings<Map<string, { readonly node: number; readonly members: string }>>();
    return check((fact, verdict) => {
      if (fact.kind !== 'cpg.members') return;
      const { node, ring, place, group } = fact;
      const members = fact.members.join(' ');
      const known = rings.get(ring, () => new Map());
      const key = `${place} ${group}`;
      const first = known.get(key);
      if (first === undefined) known.set(key, { node, members });
      else if (first.members !== members) {
        verdict.violate(
          `${group} at place ${place} of ring ${ring}: ${members || 'nobody'}, at node ${first.node}: ${first.members || 'nobody'}`,
          [first.node, node],
        );
      }
    });
  },
});

const syncBarrier = defineInvariant<CpgFact>({
  id: 'totem.V24',
  name: 'sync barrier',
  statement: 'No application message is delivered between a regular configuration and the completion of its sync.',
  kinds: ['cpg.sync', 'cpg.synced', 'cpg.message'],
  start() {
    const syncing = new Map<number, number>();
    return check((fact, verdict) => {
      const { node, life } = fact;
      if (fact.kind === 'cpg.sync') syncing.set(node, life);
      else if (fact.kind === 'cpg.synced') syncing.delete(node);
      else if (fact.kind === 'cpg.message' && syncing.get(node) === life) {
        verdict.violate(`${fact.group} got a message of ${fact.from} before ring ${fact.ring} was synchronised`, [
          node,
        ]);
      }
    });
  },
});

/** What must never be observed of `Totem` and `Cpg`: S1–S7 as in the simulation's list, V3–V24 as in the package's. */
export const invariants: readonly Invariant[] = [
  agreed,
  once,
  virtualSynchrony,
  transitional,
  selfDelivery,
  ringId,
  selfInclusion,
  holesInTransitional,
  stableStorage,
  closure,
  syncBarrier,
];

function check<F extends TotemFact | CpgFact>(observe: (fact: Stamped<F>, verdict: Verdict) => void): Check<F> {
  return { observe };
}

function seqOf(ring: string): number {
  return Number.parseInt(ring.slice(ring.indexOf('.') + 1), 16);
}
