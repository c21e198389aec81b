import { defineInvariant, type Invariant, type Nanos, type Verdict } from '@quorate/kernel';
import type { CalmFact, ConfigurationFact, DeliveredFact, StartedFact, StateFact, SuspectedFact } from '../fact.js';
import type { NodeId } from '../ring-id.js';
import { check, Positions, Rings } from './positions.js';

/** V14. */
export const virtualSynchrony: Invariant = defineInvariant<ConfigurationFact | DeliveredFact>({
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

/** V6. */
export const transitional: Invariant = defineInvariant<ConfigurationFact>({
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

/** V4 and V5. */
export const ringId: Invariant = defineInvariant<ConfigurationFact>({
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

export const selfInclusion: Invariant = defineInvariant<StartedFact | ConfigurationFact>({
  id: 'totem.V3',
  name: 'membership self-inclusion',
  statement:
    'A node is a member of every configuration it delivers, but for its first transitional one, which is empty.',
  kinds: ['totem.started', 'totem.configuration'],
  start() {
    const positions = new Positions();
    return check((fact, verdict) => {
      if (fact.kind === 'totem.started') return positions.restart(fact);
      const isFirst = positions.of(fact).ring === '' && fact.type === 'transitional' && fact.members.length === 0;
      if (!isFirst && !fact.members.includes(fact.node)) {
        verdict.violate(`${fact.type} ${fact.ring} has members ${fact.members.join(' ')}`, [fact.node]);
      }
      positions.move(fact);
    });
  },
});

export const transitionalExactness: Invariant = defineInvariant<ConfigurationFact>({
  id: 'totem.V7',
  name: 'transitional exactness',
  statement:
    "A transitional configuration's members are those of the old ring that enter the new one from it, and all of them see the same list.",
  kinds: ['totem.configuration'],
  start() {
    const positions = new Positions();
    const entries = new Rings<Map<NodeId, Entry>>();
    return check((fact, verdict) => {
      const { node, ring, type, members } = fact;
      const from = positions.of(fact).ring;
      positions.move(fact);
      if (type === 'regular') return;
      const others = entries.get(ring, () => new Map());
      for (const [other, entry] of others) {
        if (other === node) continue;
        const isTogether = from !== '' && entry.from === from;
        if (isTogether && !isSameList(members, entry.members)) {
          verdict.violate(
            `transitional ${ring} has members ${members.join(' ')} here, ${entry.members.join(' ')} at node ${other}`,
            [other, node],
          );
        } else if (members.includes(other) && !isTogether) {
          verdict.violate(`transitional ${ring} has node ${other}, which comes from ring ${entry.from || 'none'}`, [
            other,
            node,
          ]);
        }
      }
      others.set(node, { from, members });
    });
  },
});

interface Entry {
  readonly from: string;
  readonly members: readonly NodeId[];
}

export const agreementOnNext: Invariant = defineInvariant<ConfigurationFact>({
  id: 'totem.V15',
  name: 'agreement on next',
  statement: 'Two nodes that take each other along from a ring enter the same next ring.',
  kinds: ['totem.configuration'],
  start() {
    const positions = new Positions();
    const exits = new Rings<Map<NodeId, { readonly next: string; readonly members: readonly NodeId[] }>>();
    return check((fact, verdict) => {
      const { node, ring, type, members } = fact;
      const from = positions.of(fact).ring;
      positions.move(fact);
      if (type === 'regular' || from === '') return;
      const others = exits.get(from, () => new Map());
      for (const member of members) {
        const other = others.get(member);
        if (other === undefined || other.next === ring || !other.members.includes(node)) continue;
        verdict.violate(`node ${member} goes from ring ${from} to ${other.next}, node ${node} with it to ${ring}`, [
          member,
          node,
        ]);
      }
      others.set(node, { next: ring, members });
    });
  },
});

export const quietConvergence: Invariant = defineInvariant<CalmFact | StateFact | ConfigurationFact>({
  id: 'totem.V17',
  name: 'quiet convergence',
  statement:
    'With a quiet, connected network every live node is operational in one ring of exactly the live nodes within the bound.',
  kinds: ['totem.calm', 'totem.state', 'totem.configuration'],
  judges: ['totem.calm'],
  start() {
    const states = new Map<NodeId, { state: string; ring: string; members: readonly NodeId[] }>();
    let due: { readonly at: Nanos; readonly nodes: readonly NodeId[] } | undefined;

    function judge(at: Nanos, verdict: Verdict): void {
      if (due === undefined || at < due.at) return;
      const { nodes } = due;
      due = undefined;
      const rings = new Set(nodes.map((node) => states.get(node)?.ring));
      for (const node of nodes) {
        const { state = 'off', ring = 'none', members = [] } = states.get(node) ?? {};
        if (state === 'operational' && rings.size === 1 && isSameList(members, nodes)) continue;
        verdict.violate(
          `node ${node} is ${state} in ring ${ring} of ${members.join(' ')}, expected one ring of ${nodes.join(' ')}`,
          [node],
        );
      }
    }

    return {
      observe(fact, verdict) {
        judge(fact.at, verdict);
        if (fact.kind === 'totem.calm') {
          due = fact.nodes.length === 0 ? undefined : { at: fact.at + fact.within, nodes: fact.nodes };
          return;
        }
        const { node } = fact;
        let view = states.get(node);
        if (view === undefined) {
          view = { state: 'off', ring: 'none', members: [] };
          states.set(node, view);
        }
        if (fact.kind === 'totem.state') view.state = fact.state;
        else if (fact.type === 'regular') {
          view.ring = fact.ring;
          view.members = fact.members;
        }
      },
      tick: judge,
      end: judge,
    };
  },
});

export const membershipJustification: Invariant = defineInvariant<ConfigurationFact | SuspectedFact>({
  id: 'totem.V21',
  name: 'membership justification',
  statement:
    'A node is left behind only after it said that it leaves, gave no consensus in time, accused this node, was called failed by another member or came back by another ring, or when this node goes on alone because it receives too little.',
  kinds: ['totem.configuration', 'totem.suspected'],
  start() {
    const positions = new Positions();
    const suspects = new Map<NodeId, Set<NodeId>>();
    const left = new Map<NodeId, readonly NodeId[]>();
    return check((fact, verdict) => {
      const { node } = fact;
      if (fact.kind === 'totem.suspected') {
        const { suspect, why, waited, patience } = fact;
        suspects.set(node, (suspects.get(node) ?? new Set()).add(suspect));
        if (why !== 'silent' || (waited >= patience && patience > 0)) return;
        verdict.violate(`node ${suspect} counts as silent after ${waited} ns, expected ${patience}`, [node]);
        return;
      }
      const isFirst = positions.of(fact).ring === '';
      positions.move(fact);
      if (fact.type === 'transitional') {
        left.set(node, isFirst ? [] : fact.left);
        return;
      }
      const known = suspects.get(node);
      suspects.delete(node);
      if (known?.has(node) === true) return;
      for (const gone of left.get(node) ?? []) {
        if (known?.has(gone) === true || fact.joined.includes(gone)) continue;
        verdict.violate(`node ${gone} was left behind on the way to ring ${fact.ring} for no reason`, [node, gone]);
      }
    });
  },
});

function isSameList(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((node, i) => node === b[i]);
}

function seqOf(ring: string): number {
  return Number.parseInt(ring.slice(ring.indexOf('.') + 1), 16);
}
