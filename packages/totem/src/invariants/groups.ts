import { defineInvariant, type Invariant } from '@quorate/kernel';
import type { CpgFact } from '../cpg/fact.js';
import { check, Rings } from './positions.js';

export const closure: Invariant = defineInvariant<CpgFact>({
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

export const syncBarrier: Invariant = defineInvariant<CpgFact>({
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
