import { type Check, defineInvariant, type Invariant, type Stamped } from '@quorate/kernel';
import type { FencedFact } from './facts.js';

type Started = Stamped<FencedFact & { readonly kind: 'fenced.fencing-started' }>;

/** A rule about every start of an attempt to fence. Returns what is wrong with it, or undefined. */
function fencingRule(
  id: string,
  name: string,
  statement: string,
  judge: (fact: Started) => string | undefined,
): Invariant {
  return defineInvariant<FencedFact>({
    id,
    name,
    statement,
    kinds: ['fenced.fencing-started'],
    start(): Check<FencedFact> {
      return {
        observe(fact, verdict) {
          if (fact.kind !== 'fenced.fencing-started') return;
          const wrong = judge(fact);
          if (wrong !== undefined) verdict.violate(`node ${fact.node}: ${wrong}`, [fact.node, fact.victim]);
        },
      };
    },
  });
}

const masterFences: Invariant = fencingRule(
  'fencing.F1',
  'master-fences',
  'Only the master of a fence domain fences.',
  ({ node, master, victim }) =>
    master === node ? undefined : `fences node ${victim} though node ${master} is the master of its domain`,
);

const quorateFences: Invariant = fencingRule(
  'fencing.F2',
  'quorate-fences',
  'No attempt to fence starts on a node without quorum.',
  ({ isQuorate, victim }) => (isQuorate ? undefined : `fences node ${victim} without quorum`),
);

const cleanIsSpared: Invariant = fencingRule(
  'fencing.F3',
  'clean-is-spared',
  'A victim that came back clean, as a member of the cluster with a fenced that has no state, is not fenced.',
  ({ clusterMembers, isClean, victim }) =>
    isClean && clusterMembers.includes(victim) ? `fences node ${victim}, which came back clean` : undefined,
);

const victimsOnly: Invariant = defineInvariant<FencedFact>({
  id: 'fencing.F4',
  name: 'victims-only',
  statement:
    'A node is fenced only by a domain that counts it as a victim, and never while it is a member of that domain and of the ' +
    'cluster. (Who died, came back into the domain and died again before the master had dealt with either is still its member.)',
  kinds: ['fenced.victim', 'fenced.fenced', 'fenced.state', 'fenced.fencing-started'],
  start(): Check<FencedFact> {
    const views = new Map<number, { life: number; victims: Set<number>; members: readonly number[] }>();
    const viewOf = ({ node, life }: Stamped<FencedFact>) => {
      const known = views.get(node);
      if (known !== undefined && known.life === life) return known;
      const view = { life, victims: new Set<number>(), members: [] as readonly number[] };
      views.set(node, view);
      return view;
    };
    return {
      observe(fact, verdict) {
        const view = viewOf(fact);
        const { node } = fact;
        switch (fact.kind) {
          case 'fenced.victim':
            view.victims.add(fact.victim);
            break;
          case 'fenced.fenced':
            view.victims.delete(fact.victim);
            break;
          case 'fenced.state':
            view.members = fact.members;
            if (fact.state === 'left') view.victims.clear();
            break;
          case 'fenced.fencing-started': {
            const { victim } = fact;
            if (!view.victims.has(victim))
              verdict.violate(`node ${node}: fences node ${victim}, no victim`, [node, victim]);
            if (!view.members.includes(victim) || !fact.clusterMembers.includes(victim)) break;
            verdict.violate(`node ${node}: fences node ${victim}, a member of its own domain`, [node, victim]);
            break;
          }
        }
      },
    };
  },
});

const fencedMeansFenced: Invariant = defineInvariant<FencedFact>({
  id: 'fencing.F5',
  name: 'fenced-means-fenced',
  statement: "A member learns that a victim was fenced by the agent only after its master's attempt succeeded.",
  kinds: ['fenced.attempt-ended', 'fenced.fenced'],
  start(): Check<FencedFact> {
    const succeeded = new Set<string>();
    return {
      observe(fact, verdict) {
        if (fact.kind === 'fenced.attempt-ended') {
          if (fact.isSuccess) succeeded.add(`${fact.node} ${fact.victim}`);
        } else if (fact.kind === 'fenced.fenced' && fact.how === 'agent') {
          const { node, master, victim } = fact;
          if (succeeded.has(`${master} ${victim}`)) return;
          verdict.violate(`node ${node}: takes node ${victim} for fenced by node ${master}, which did not`, [
            node,
            master,
          ]);
        }
      },
    };
  },
});

const refusedIsNotPassed: Invariant = defineInvariant<FencedFact>({
  id: 'fencing.F6',
  name: 'refused-is-not-passed',
  statement:
    'A START is refused only by a node that has ended a start cycle, and of one that has, too, if only in an earlier life, from which ' +
    'a START may come late; no start cycle ends with a member whose START was refused. As long as that member lives the domain waits, and fences nobody, which is counted as fence-standoff.',
  kinds: ['fenced.start-refused', 'fenced.state'],
  start(): Check<FencedFact> {
    // Of each node, the members that it refused in its newest change, and whether it has ended a start cycle.
    const views = new Map<number, { life: number; hasStarted: boolean; refused: Set<number> }>();
    const everStarted = new Set<number>();
    const viewOf = ({ node, life }: Stamped<FencedFact>) => {
      const known = views.get(node);
      if (known?.life === life) return known;
      const view = { life, hasStarted: false, refused: new Set<number>() };
      views.set(node, view);
      return view;
    };
    return {
      observe(fact, verdict) {
        const { node } = fact;
        const view = viewOf(fact);
        if (fact.kind === 'fenced.start-refused') {
          const { peer } = fact;
          view.refused.add(peer);
          const newcomer = !view.hasStarted ? node : !everStarted.has(peer) ? peer : undefined;
          if (newcomer === undefined) verdict.count('fence-standoff');
          else {
            const text = `node ${node}: refuses the START of node ${peer}, but node ${newcomer} has ended no start cycle`;
            verdict.violate(text, [node, peer]);
          }
        } else if (fact.kind === 'fenced.state' && fact.state !== 'messages') {
          if (fact.state === 'fencing') {
            for (const peer of view.refused) {
              verdict.violate(`node ${node}: goes on with node ${peer}, whose START it refused`, [node, peer]);
            }
          }
          if (fact.state === 'left') view.hasStarted = false;
          else if (fact.state === 'none') {
            view.hasStarted = true;
            everStarted.add(node);
          }
          view.refused.clear();
        }
      },
    };
  },
});

/** What must never be observed of a fence domain. */
export const invariants: readonly Invariant[] = [
  masterFences,
  quorateFences,
  cleanIsSpared,
  victimsOnly,
  fencedMeansFenced,
  refusedIsNotPassed,
];
