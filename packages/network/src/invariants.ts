import { type Check, defineInvariant, type Invariant, type Stamped } from '@quorate/kernel';
import type { NetworkFact } from './network.js';

type FactOf<K extends NetworkFact['kind']> = Extract<NetworkFact, { readonly kind: K }>;

const direction = (fact: { readonly from: number; readonly to: number }): string => `${fact.from}>${fact.to}`;

const fifo: Invariant = defineInvariant<FactOf<'network.sent' | 'network.delivered'>>({
  id: 'network.N1',
  name: 'fifo-link',
  statement: 'a copy that is not reordered is delivered after every such copy sent before it on the same link',
  kinds: ['network.sent', 'network.delivered'],
  start(): Check<FactOf<'network.sent' | 'network.delivered'>> {
    const reordered = new Set<number>();
    /** Of each link, by its two ends, the last copy that was not reordered. */
    const last = new Map<number, Map<number, number>>();
    return {
      observe(fact, verdict) {
        if (fact.kind === 'network.sent') {
          if (fact.isReordered) reordered.add(fact.id);
          return;
        }
        if (reordered.size > 0 && reordered.delete(fact.id)) return;
        let fromHere = last.get(fact.from);
        if (fromHere === undefined) {
          fromHere = new Map();
          last.set(fact.from, fromHere);
        }
        const before = fromHere.get(fact.to) ?? 0;
        if (fact.id < before)
          verdict.violate(`${direction(fact)} delivered copy ${fact.id} after ${before}`, [fact.from, fact.to]);
        else fromHere.set(fact.to, fact.id);
      },
    };
  },
});

type N2Fact = Exclude<NetworkFact, FactOf<'network.dropped'>>;

const closed: Invariant = defineInvariant<N2Fact>({
  id: 'network.N2',
  name: 'nothing-through-a-closed-link',
  statement:
    'nothing is delivered to a card whose cable is pulled, and nothing that was sent over a closed link; when a ' +
    'partition cuts what is under way, nothing over a link that is closed now',
  kinds: ['network.sent', 'network.delivered', 'network.partition', 'network.nic'],
  start(): Check<N2Fact> {
    /** Closed links, with whether what is under way dies. */
    const links = new Map<string, boolean>();
    const down = new Set<number>();
    const sentWhileClosed = new Set<number>();
    const onDelivered = (fact: FactOf<'network.delivered'>): string | undefined => {
      if (down.size > 0 && down.has(fact.to)) return `copy ${fact.id} reached card ${fact.to}, whose cable is pulled`;
      if (sentWhileClosed.size > 0 && sentWhileClosed.has(fact.id)) {
        return `copy ${fact.id}, sent while ${direction(fact)} was closed, was delivered`;
      }
      if (links.size === 0 || links.get(direction(fact)) !== true) return undefined;
      return `copy ${fact.id} was delivered over ${direction(fact)}, which is closed`;
    };
    return {
      observe(fact: Stamped<N2Fact>, verdict) {
        switch (fact.kind) {
          case 'network.nic':
            if (fact.isUp) down.delete(fact.nic);
            else down.add(fact.nic);
            return;
          case 'network.partition':
            if (fact.isClosed) links.set(direction(fact), fact.cutsInFlight);
            else links.delete(direction(fact));
            return;
          case 'network.sent':
            if (links.size > 0 && links.has(direction(fact))) sentWhileClosed.add(fact.id);
            return;
          case 'network.delivered': {
            const message = onDelivered(fact);
            if (message !== undefined) verdict.violate(message, [fact.from, fact.to]);
          }
        }
      },
    };
  },
});

type N3Fact = FactOf<'network.sent' | 'network.delivered' | 'network.dropped'>;

const once: Invariant = defineInvariant<N3Fact>({
  id: 'network.N3',
  name: 'one-end-for-each-copy',
  statement: 'every copy of a frame that was sent ends exactly once, delivered or dropped with a reason',
  kinds: ['network.sent', 'network.delivered', 'network.dropped'],
  start(): Check<N3Fact> {
    const underWay = new Map<number, number>();
    return {
      observe(fact, verdict) {
        if (fact.kind === 'network.sent') {
          if (underWay.has(fact.id)) verdict.violate(`copy ${fact.id} was sent twice`, [fact.from]);
          underWay.set(fact.id, fact.from);
        } else if (!underWay.delete(fact.id)) {
          const how = fact.kind === 'network.delivered' ? 'delivered' : `dropped (${fact.reason})`;
          verdict.violate(`copy ${fact.id} was ${how} but is not under way`, [fact.from, fact.to]);
        }
      },
      end(_at, verdict) {
        verdict.count('network-under-way-at-end', underWay.size);
      },
    };
  },
});

/** The network's own rules. Facts of links and hosts carry node 0 unless the driver says otherwise. */
export const invariants: readonly Invariant[] = [fifo, closed, once];
