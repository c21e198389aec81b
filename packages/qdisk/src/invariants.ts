import { type Check, defineInvariant, type Fact, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import type { QdiskFact } from './facts.js';
import { DiskState } from './status-block.js';

/** Per-node knowledge that a new life of the node wipes out. */
class PerLife<T> {
  readonly #nodes = new Map<number, { life: number; value: T }>();
  readonly #fresh: () => T;

  constructor(fresh: () => T) {
    this.#fresh = fresh;
  }

  of(fact: Stamped<QdiskFact>): T {
    const known = this.#nodes.get(fact.node);
    if (known !== undefined && known.life === fact.life) return known.value;
    const value = this.#fresh();
    this.#nodes.set(fact.node, { life: fact.life, value });
    return value;
  }
}

/** What the driver says of a node's power: one that is off is nobody's master. */
interface NodeStateFact extends Fact {
  readonly kind: 'node.state';
  readonly state: string;
}

const oneMaster: Invariant = defineInvariant<QdiskFact | NodeStateFact>({
  id: 'S10',
  name: 'qdisk-master',
  statement:
    'At any instant at most one un-evicted quorum disk master has confirmed its own status block: one that stands still may ' +
    'be followed by another, and then confirms it no more.',
  kinds: ['qdisk.state', 'qdisk.master', 'qdisk.poll', 'qdisk.evicted', 'qdisk.reboot', 'node.state'],
  start(): Check<QdiskFact | NodeStateFact> {
    const masters = new Map<number, number>();
    /** Masters that another one has followed, because they stood still. */
    const followed = new Set<number>();
    const evicted = new Set<number>();
    let isTold = false;
    const forget = (node: number): void => {
      masters.delete(node);
      followed.delete(node);
    };
    const confirm = (fact: Stamped<Fact>, verdict: Verdict): void => {
      if (evicted.has(fact.node)) return;
      masters.set(fact.node, fact.life);
      const nodes = [...masters.keys()].filter((node) => node === fact.node || !followed.has(node));
      if (followed.has(fact.node) && nodes.length > 1 && !isTold) {
        isTold = true;
        verdict.violate(`nodes ${nodes.join(' and ')} are both master, expected one`, nodes);
      }
      for (const node of nodes) if (node !== fact.node) followed.add(node);
    };
    return {
      observe(fact, verdict) {
        if (masters.get(fact.node) !== fact.life) forget(fact.node);
        switch (fact.kind) {
          case 'qdisk.state':
            if (fact.state !== DiskState.MASTER) forget(fact.node);
            if (fact.state === DiskState.INIT) evicted.delete(fact.node);
            break;
          case 'qdisk.reboot':
            forget(fact.node);
            break;
          case 'node.state':
            if (fact.state === 'off') forget(fact.node);
            break;
          case 'qdisk.evicted':
            evicted.add(fact.peer);
            forget(fact.peer);
            if (!fact.isWritten) verdict.count('qdisk-eviction-unwritten');
            break;
          case 'qdisk.master': {
            if (fact.master !== fact.node) forget(fact.node);
            else confirm(fact, verdict);
            break;
          }
          case 'qdisk.poll':
            if (fact.master === fact.node && fact.isUp) confirm(fact, verdict);
            break;
        }
      },
    };
  },
});

const pollByGrant: Invariant = defineInvariant<QdiskFact>({
  id: 'qdisk.Q1',
  name: 'poll-by-grant',
  statement:
    'A node tells cman that the quorum device is up only with a sufficient score, while it is running or master, and by the grant of a master.',
  kinds: ['qdisk.poll', 'qdisk.grant'],
  start(): Check<QdiskFact> {
    // Kept over mastership and life: a node that was paused between reading a block and polling acts on an old one.
    const grants = new Map<number, Set<number>>();
    return {
      observe(fact, verdict) {
        if (fact.kind === 'qdisk.grant') {
          const granted = grants.get(fact.node) ?? new Set();
          for (const node of fact.nodes) granted.add(node);
          grants.set(fact.node, granted);
        } else if (fact.kind === 'qdisk.poll' && fact.isUp) checkPoll(fact, grants.get(fact.master), verdict);
      },
    };
  },
});

function checkPoll(
  fact: Stamped<QdiskFact & { kind: 'qdisk.poll' }>,
  granted: ReadonlySet<number> | undefined,
  verdict: Verdict,
): void {
  const { node, master, state, score, scoreRequired } = fact;
  if (score < scoreRequired) verdict.violate(`node ${node} polls with score ${score}, needs ${scoreRequired}`, [node]);
  if (state !== DiskState.RUN && state !== DiskState.MASTER) {
    verdict.violate(`node ${node} polls in state ${state}, expected running or master`, [node]);
  }
  const isOwnMaster = master === node && state === DiskState.MASTER;
  if (isOwnMaster || granted?.has(node) === true) return;
  verdict.violate(`node ${node} polls by the grant of node ${master}, which granted it nothing`, [node, master]);
}

const evictionRule: Invariant = defineInvariant<QdiskFact>({
  id: 'qdisk.Q2',
  name: 'evict-the-silent',
  statement:
    'An eviction notice is written by a master for a node that it counts as dead, or by anybody for an evicted node that writes again; never for oneself.',
  kinds: ['qdisk.node-up', 'qdisk.node-down', 'qdisk.evicted'],
  start(): Check<QdiskFact> {
    const views = new PerLife<Set<number>>(() => new Set());
    return {
      observe(fact, verdict) {
        const up = views.of(fact);
        if (fact.kind === 'qdisk.node-up') up.add(fact.peer);
        else if (fact.kind === 'qdisk.node-down') up.delete(fact.peer);
        else if (fact.kind === 'qdisk.evicted') {
          const { node, peer } = fact;
          if (peer === node) verdict.violate(`node ${node} evicted itself`, [node]);
          if (fact.isUndead) return;
          if (fact.state !== DiskState.MASTER) {
            verdict.violate(`node ${node} evicted node ${peer} in state ${fact.state}, expected master`, [node, peer]);
          }
          if (up.has(peer)) verdict.violate(`node ${node} evicted node ${peer}, which it sees up`, [node, peer]);
        }
      },
    };
  },
});

const grantToMembers: Invariant = defineInvariant<QdiskFact>({
  id: 'qdisk.Q3',
  name: 'grant-to-members',
  statement: "A master grants the device's votes only to members of its own cman partition.",
  kinds: ['qdisk.grant'],
  start(): Check<QdiskFact> {
    return {
      observe(fact, verdict) {
        if (fact.kind !== 'qdisk.grant') return;
        const outside = fact.nodes.filter((node) => !fact.members.includes(node));
        if (outside.length === 0) return;
        verdict.violate(`master ${fact.node} grants to ${outside.join(', ')}, not in {${fact.members.join(',')}}`, [
          fact.node,
          ...outside,
        ]);
      },
    };
  },
});

/** What must never be observed of a set of qdiskds on one disk. */
export const invariants: readonly Invariant[] = [oneMaster, pollByGrant, evictionRule, grantToMembers];
