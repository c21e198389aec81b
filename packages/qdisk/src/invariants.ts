import {
  type Check,
  defineInvariant,
  type Fact,
  type Invariant,
  type Nanos,
  type Stamped,
  type Verdict,
} from '@quorate/kernel';
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

/** A node that has confirmed itself master, by its own block read back. */
interface Master {
  readonly since: Nanos;
  /** In its newest cycle. */
  last: Nanos;
  /** How often it did so again after another master had done so. */
  readonly rounds: Map<Master, number>;
}

/**
 * Rounds in which two masters may confirm themselves in turn before they see each other: as a rule `tko_up` heartbeats and one more
 * (3 with a token of 10 s, 10 with 60 s), and some that the reader missed.
 */
const MOST_ROUNDS = 12;

/**
 * S10. A master that stands still, in a hung read or as a paused machine, is given up and evicted by those that saw it up. Whoever
 * starts meanwhile has never seen it, counts no misses for it, and may follow it without evicting it ("marked master, but is
 * dead"). When the old one goes on both are master, until the higher one sees the lower one up. That takes cycles of both, so
 * their disks decide how long, and is counted as `qdisk-stale-master`.
 */
class OneMaster implements Check<QdiskFact | NodeStateFact> {
  readonly #masters = new Map<number, Master>();
  readonly #evicted = new Set<number>();
  /** Whom a node counts as up. */
  readonly #up = new Map<number, Set<number>>();
  /** When a node last found that there is no master, or became one that may bid. */
  readonly #vacantSince = new Map<number, Nanos>();
  #isTold = false;

  observe(fact: Stamped<QdiskFact | NodeStateFact>, verdict: Verdict): void {
    const { node } = fact;
    switch (fact.kind) {
      case 'qdisk.state':
        this.#onState(fact, fact.state, verdict);
        break;
      case 'qdisk.node-up':
        this.#upOf(node).add(fact.peer);
        break;
      case 'qdisk.node-down':
      case 'qdisk.node-gone':
        this.#upOf(node).delete(fact.peer);
        break;
      case 'qdisk.reboot':
        this.#masters.delete(node);
        break;
      case 'node.state':
        if (fact.state === 'off') this.#masters.delete(node);
        break;
      case 'qdisk.evicted':
        this.#evicted.add(fact.peer);
        this.#forget(fact.peer);
        if (!fact.isWritten) verdict.count('qdisk-eviction-unwritten');
        break;
      case 'qdisk.master':
        if (fact.master === node) this.#confirm(fact, verdict);
        else this.#masters.delete(node);
        if (fact.master === 0) this.#vacantSince.set(node, fact.at);
        break;
      case 'qdisk.poll':
        if (fact.master === node && fact.isUp) this.#confirm(fact, verdict);
        break;
    }
  }

  #onState(fact: Stamped<Fact>, state: DiskState, verdict: Verdict): void {
    const { node } = fact;
    if (state === DiskState.MASTER) return this.#assume(fact, verdict);
    this.#masters.delete(node);
    if (state === DiskState.RUN) this.#vacantSince.set(node, fact.at);
    if (state !== DiskState.INIT) return;
    this.#evicted.delete(node);
    this.#up.delete(node);
    this.#forget(node);
  }

  /** A bid stands for some cycles: in the later ones it has read the blocks of all that were master before. */
  #assume(fact: Stamped<Fact>, verdict: Verdict): void {
    const since = this.#vacantSince.get(fact.node) ?? 0;
    for (const [other, master] of this.#masters) {
      if (other !== fact.node && this.#upOf(fact.node).has(other) && master.since <= since) {
        this.#violate(fact.node, other, verdict);
      }
    }
  }

  #confirm(fact: Stamped<Fact>, verdict: Verdict): void {
    const { node, at } = fact;
    if (this.#evicted.has(node)) return;
    const own = this.#masters.get(node) ?? { since: at, last: -1, rounds: new Map() };
    this.#masters.set(node, own);
    if (own.last === at) return;
    for (const [other, master] of this.#masters) if (master !== own) this.#meet(node, own, other, master, verdict);
    own.last = at;
  }

  #meet(node: number, own: Master, other: number, master: Master, verdict: Verdict): void {
    const rounds = (own.rounds.get(master) ?? 0) + (own.last >= 0 && master.last >= own.last ? 1 : 0);
    own.rounds.set(master, rounds);
    if (rounds === 1 && own.since <= master.since) verdict.count('qdisk-stale-master');
    // It read the lower one's block in this cycle, and that already said MASTER.
    const mustYield = other < node && this.#upOf(node).has(other) && master.since <= own.last;
    if (mustYield || rounds > MOST_ROUNDS) this.#violate(node, other, verdict);
  }

  #violate(node: number, other: number, verdict: Verdict): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const nodes = [node, other].sort((a, b) => a - b);
    verdict.violate(`nodes ${nodes.join(' and ')} are both master, expected one`, nodes);
  }

  #upOf(node: number): Set<number> {
    const up = this.#up.get(node) ?? new Set();
    this.#up.set(node, up);
    return up;
  }

  /** Who was evicted or starts anew has to be seen up again. */
  #forget(node: number): void {
    this.#masters.delete(node);
    for (const up of this.#up.values()) up.delete(node);
  }
}

const oneMaster: Invariant = defineInvariant<QdiskFact | NodeStateFact>({
  id: 'S10',
  name: 'qdisk-master',
  statement:
    'No node takes the role of an un-evicted quorum disk master that it sees up, and of two masters the higher one yields as soon ' +
    'as it sees the lower one up. Until then there may be two, when one that stood still goes on after a node has followed it ' +
    'that never saw it: counted as qdisk-stale-master.',
  kinds: [
    'qdisk.state',
    'qdisk.master',
    'qdisk.poll',
    'qdisk.node-up',
    'qdisk.node-down',
    'qdisk.node-gone',
    'qdisk.evicted',
    'qdisk.reboot',
    'node.state',
  ],
  start: () => new OneMaster(),
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
