import { defineInvariant, type Invariant } from '@quorate/kernel';
import type { CpgFact } from '../cpg/fact.js';
import { check, Rings } from './positions.js';

/** What one node's processes are told of groups. */
class Hearers {
  life = 0;
  /** Local processes in each group, from the configuration change that told them of their join to that of their leave. */
  readonly #joined = new Map<string, Set<number>>();
  /** The message that is being handed out: who got it, and who has to. */
  #message: { readonly place: string; readonly got: Set<number>; readonly due: ReadonlySet<number> } | undefined;

  of(group: string): Set<number> {
    let pids = this.#joined.get(group);
    if (pids === undefined) {
      pids = new Set();
      this.#joined.set(group, pids);
    }
    return pids;
  }

  forget(pid: number): void {
    for (const pids of this.#joined.values()) pids.delete(pid);
  }

  hand(place: string, group: string, pid: number): void {
    if (this.#message?.place !== place) this.#message = { place, got: new Set(), due: new Set(this.of(group)) };
    this.#message.got.add(pid);
  }

  /** Ends the message that was being handed out, unless it is the one at that place: what is wrong with it. */
  settle(place: string): string | undefined {
    const message = this.#message;
    if (message === undefined || message.place === place) return undefined;
    this.#message = undefined;
    const { got, due } = message;
    if (got.size === due.size && [...due].every((pid) => got.has(pid))) return undefined;
    return `the message at ${message.place} went to ${[...got].join(' ')}, expected ${[...due].join(' ') || 'nobody'}`;
  }
}

export const closure: Invariant = defineInvariant<CpgFact>({
  id: 'totem.V23',
  name: 'CPG closure',
  statement:
    'At one place of the order every node knows the same members of a process group, and a message goes to exactly the local processes that are in its group.',
  kinds: ['cpg.members', 'cpg.confchg', 'cpg.message', 'cpg.exited'],
  start() {
    const rings = new Rings<Map<string, { readonly node: number; readonly members: string }>>();
    const nodes = new Map<number, Hearers>();
    return check((fact, verdict) => {
      const { node, life } = fact;
      let hearers = nodes.get(node);
      if (hearers === undefined || hearers.life !== life) {
        hearers = new Hearers();
        hearers.life = life;
        nodes.set(node, hearers);
      }
      const wrong = hearers.settle(fact.kind === 'cpg.message' ? placeOf(fact) : '');
      if (wrong !== undefined) verdict.violate(wrong, [node]);
      switch (fact.kind) {
        case 'cpg.members': {
          const members = fact.members.join(' ');
          const known = rings.get(fact.ring, () => new Map());
          const first = known.get(placeOf(fact));
          if (first === undefined) known.set(placeOf(fact), { node, members });
          else if (first.members !== members) {
            verdict.violate(
              `${placeOf(fact)}: ${members || 'nobody'}, at node ${first.node}: ${first.members || 'nobody'}`,
              [first.node, node],
            );
          }
          return;
        }
        case 'cpg.confchg': {
          const process = `${node}/${fact.pid}`;
          if (fact.joined.includes(process)) hearers.of(fact.group).add(fact.pid);
          if (fact.left.includes(process)) hearers.of(fact.group).delete(fact.pid);
          return;
        }
        case 'cpg.exited':
          return hearers.forget(fact.pid);
        case 'cpg.message':
          return hearers.hand(placeOf(fact), fact.group, fact.pid);
      }
    });
  },
});

function placeOf({
  group,
  place,
  ring,
}: {
  readonly group: string;
  readonly place: number;
  readonly ring: string;
}): string {
  return `${group} at place ${place} of ring ${ring}`;
}

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
