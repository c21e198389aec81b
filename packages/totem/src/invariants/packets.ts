import { defineInvariant, type Invariant, type Stamped } from '@quorate/kernel';
import type { ConfigurationFact, DeliveredFact, SentFact } from '../fact.js';
import type { NodeId } from '../ring-id.js';
import { check, Positions, Rings } from './positions.js';

/** More packets than can be outstanding in a ring: older ones are everywhere. */
const PACKETS_KEPT = 20_000;

/** What was sent in one ring, by its places. */
class SentPackets {
  readonly #byPlace = new Map<number, Stamped<SentFact>>();

  /** Enters a packet; the one that has its place already. */
  enter(fact: Stamped<SentFact>): Stamped<SentFact> | undefined {
    const known = this.#byPlace.get(fact.msgSeq);
    if (known === undefined) this.#byPlace.set(fact.msgSeq, fact);
    this.#byPlace.delete(fact.msgSeq - PACKETS_KEPT);
    return known;
  }

  at(msgSeq: number): Stamped<SentFact> | undefined {
    return this.#byPlace.get(msgSeq);
  }
}

export const integrity: Invariant = defineInvariant<ConfigurationFact | SentFact | DeliveredFact>({
  id: 'totem.V1',
  name: 'integrity',
  statement: 'What is delivered was sent before, by the node that it names.',
  kinds: ['totem.configuration', 'totem.sent', 'totem.delivered'],
  start() {
    const rings = new Rings<SentPackets>();
    /** Nodes whose facts are heard at all: of others nobody knows what they sent. */
    const heard = new Set<NodeId>();
    return check((fact, verdict) => {
      heard.add(fact.node);
      if (fact.kind === 'totem.configuration') return;
      const packets = rings.get(fact.ring, () => new SentPackets());
      if (fact.kind === 'totem.sent') {
        packets.enter(fact);
        return;
      }
      const { ring, msgSeq, sender } = fact;
      const sent = packets.at(msgSeq);
      if (sent?.node === sender || !heard.has(sender)) return;
      const found = sent === undefined ? 'nobody sent it' : `node ${sent.node} sent it`;
      verdict.violate(`${msgSeq} of ring ${ring} was delivered as of node ${sender}, ${found}`, [fact.node]);
    });
  },
});

export const senderUniqueness: Invariant = defineInvariant<SentFact | DeliveredFact>({
  id: 'totem.V2',
  name: 'sender uniqueness',
  statement: 'No two packets are sent with one place of one ring, and every copy of a packet carries the same bytes.',
  kinds: ['totem.sent', 'totem.delivered'],
  start() {
    const rings = new Rings<SentPackets>();
    return check((fact, verdict) => {
      const { node, ring, msgSeq, digest } = fact;
      const packets = rings.get(ring, () => new SentPackets());
      if (fact.kind === 'totem.sent') {
        const known = packets.enter(fact);
        if (known !== undefined) {
          verdict.violate(`${msgSeq} of ring ${ring} was sent by node ${known.node} and by node ${node}`, [
            known.node,
            node,
          ]);
        }
        return;
      }
      const sent = packets.at(msgSeq);
      if (sent === undefined || sent.digest === digest) return;
      verdict.violate(`${msgSeq} of ring ${ring} was sent as ${hex(sent.digest)} and delivered as ${hex(digest)}`, [
        sent.node,
        node,
      ]);
    });
  },
});

export const causality: Invariant = defineInvariant<SentFact | DeliveredFact>({
  id: 'totem.V12',
  name: 'causality',
  statement:
    'A node gives what it sends a later place than all that it sent and delivered before in that ring; as everybody delivers by place, no answer comes before its question.',
  kinds: ['totem.sent', 'totem.delivered'],
  start() {
    const last = new Map<NodeId, { readonly ring: string; readonly msgSeq: number }>();
    return check(({ kind, node, ring, msgSeq }, verdict) => {
      const known = last.get(node);
      const isOlder = known !== undefined && known.ring === ring && msgSeq <= known.msgSeq;
      if (kind === 'totem.sent' && isOlder) {
        verdict.violate(`${msgSeq} of ring ${ring} was sent after ${known.msgSeq}`, [node]);
      }
      if (!isOlder) last.set(node, { ring, msgSeq });
    });
  },
});

export const holesInTransitional: Invariant = defineInvariant<ConfigurationFact | SentFact | DeliveredFact>({
  id: 'totem.V11',
  name: 'holes in transitional',
  statement:
    'In a transitional configuration what is passed over was sent by none of its members, and what comes behind a hole was.',
  kinds: ['totem.configuration', 'totem.sent', 'totem.delivered'],
  start() {
    const positions = new Positions();
    const rings = new Rings<SentPackets>();
    const last = new Map<NodeId, { readonly ring: string; readonly msgSeq: number }>();
    /**
     * How a node goes on in its transitional configuration: not yet; without a hole, by safe packets that not all had; behind
     * a hole.
     */
    const ways = new Map<NodeId, 'none' | 'run' | 'hole'>();
    return check((fact, verdict) => {
      const { node } = fact;
      if (fact.kind === 'totem.configuration') {
        if (fact.type === 'transitional') ways.set(node, 'none');
        return positions.move(fact);
      }
      const packets = rings.get(fact.ring, () => new SentPackets());
      if (fact.kind === 'totem.sent') {
        packets.enter(fact);
        return;
      }
      const { ring, msgSeq, sender, isSafe } = fact;
      const before = last.get(node);
      last.set(node, { ring, msgSeq });
      const at = positions.of(fact).transitional;
      if (at === undefined) return;
      const isNext = before?.ring !== ring || before.msgSeq + 1 === msgSeq;
      const way = ways.get(node) ?? 'none';
      const isRun = isNext && (way === 'run' || (way === 'none' && isSafe));
      ways.set(node, isRun ? 'run' : 'hole');
      for (let seq = before?.ring === ring ? before.msgSeq + 1 : msgSeq; seq < msgSeq; seq++) {
        const passed = packets.at(seq);
        if (passed === undefined || !at.members.includes(passed.node)) continue;
        verdict.violate(`${seq} of member ${passed.node} was passed over in transitional ${at.ring}`, [node]);
      }
      if (at.members.includes(sender) || isRun) return;
      verdict.violate(`${msgSeq} of node ${sender} delivered in transitional ${at.ring}`, [node]);
    });
  },
});

/** Who delivered a safe packet, and who has to. */
interface SafePacket {
  readonly delivered: Set<NodeId>;
  readonly owed: Map<NodeId, { readonly life: number; readonly to: NodeId }>;
}

/** V16 of the package's list. */
export const safe: Invariant = defineInvariant<ConfigurationFact | DeliveredFact>({
  id: 'S5',
  name: 'evs-safe',
  statement: 'A safe message is delivered by all members of the configuration that do not fail.',
  kinds: ['totem.configuration', 'totem.delivered'],
  start() {
    const positions = new Positions();
    const rings = new Rings<Map<number, SafePacket>>();
    /** The life in which a node left a ring for the next one. */
    const leftIn = new Rings<Map<NodeId, number>>();
    return check((fact, verdict) => {
      const { node, life } = fact;
      if (fact.kind === 'totem.configuration') {
        const { ring } = positions.of(fact);
        positions.move(fact);
        if (fact.type === 'transitional' || ring === '') return;
        leftIn.get(ring, () => new Map()).set(node, life);
        for (const [msgSeq, { owed }] of rings.get(ring, () => new Map<number, SafePacket>())) {
          const debt = owed.get(node);
          if (debt?.life === life) fail(node, msgSeq, ring, debt.to);
          owed.delete(node);
        }
        return;
      }
      const { ring, msgSeq } = fact;
      const packets = rings.get(ring, () => new Map<number, SafePacket>());
      let packet = packets.get(msgSeq);
      if (packet === undefined) {
        if (!fact.isSafe) return;
        packet = { delivered: new Set(), owed: new Map() };
        packets.set(msgSeq, packet);
        packets.delete(msgSeq - PACKETS_KEPT);
      }
      packet.delivered.add(node);
      packet.owed.delete(node);
      const position = positions.of(fact);
      for (const member of position.transitional?.members ?? position.members) {
        if (packet.delivered.has(member)) continue;
        const there = positions.last(member);
        if (there === undefined) continue;
        if (there.ring === ring) packet.owed.set(member, { life: there.life, to: node });
        else if (leftIn.get(ring, () => new Map()).get(member) === there.life) fail(member, msgSeq, ring, node);
      }

      function fail(owing: NodeId, seq: number, of: string, to: NodeId): void {
        verdict.violate(`safe ${seq} of ring ${of}, which node ${to} delivered, was not delivered by node ${owing}`, [
          owing,
          to,
        ]);
      }
    });
  },
});

function hex(digest: number): string {
  return digest.toString(16).padStart(8, '0');
}
