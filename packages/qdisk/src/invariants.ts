import {
  type Check,
  defineInvariant,
  type Fact,
  type Invariant,
  type Nanos,
  type NodeStateFact,
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

/** A node that has confirmed itself master, by its own block read back. */
interface Master {
  readonly since: Nanos;
  /** In its newest cycle. */
  last: Nanos;
  /** How often it did so again after another master had done so, and since that one's newest attempt to evict it. */
  readonly rounds: Map<Master, number>;
  /** When it last tried to evict another master, and the disk did not take the notice. */
  readonly tried: Map<Master, Nanos>;
}

/** Whom a node has seen up: whether it still does, or has missed too many heartbeats since. */
type Sight = 'up' | 'down';

/**
 * Rounds in which two masters may confirm themselves in turn before they see each other: as a rule `tko_up` heartbeats and one more
 * (3 with a token of 10 s, 10 with 60 s), and some that the reader missed.
 */
const MOST_ROUNDS = 12;

/** Rounds of an evicted master beside another one: it ends its cycle, and may write once over the notice that it has not read. */
const MOST_EVICTED_ROUNDS = 2;

/**
 * S10. A master that stands still, in a hung read or as a paused machine, is given up and evicted by those that saw it up. Whoever
 * starts meanwhile has never seen it, counts no misses for it, and may follow it without evicting it ("marked master, but is
 * dead"). When the old one goes on both are master, until the higher one sees the lower one up. That takes cycles of both, so
 * their disks decide how long, and is counted as `qdisk-stale-master`.
 *
 * Who gave its master up evicts it in its first whole cycle as master. When the disk does not take the notice it tries again in each
 * cycle; that is counted as `qdisk-eviction-unwritten`, and until then both are master.
 */
class OneMaster implements Check<QdiskFact | NodeStateFact> {
  readonly #masters = new Map<number, Master>();
  /** Evicted nodes, and how they go on as masters since the newest notice. */
  readonly #evicted = new Map<number, { last: Nanos; rounds: number }>();
  readonly #sights = new Map<number, Map<number, Sight>>();
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
        this.#sightsOf(node).set(fact.peer, 'up');
        break;
      case 'qdisk.node-down':
        this.#sightsOf(node).set(fact.peer, 'down');
        break;
      case 'qdisk.node-gone':
        this.#sightsOf(node).delete(fact.peer);
        break;
      case 'qdisk.reboot':
        this.#masters.delete(node);
        break;
      case 'node.state':
        if (fact.state === 'off') this.#masters.delete(node);
        break;
      case 'qdisk.evicted':
        this.#onEvicted(fact, verdict);
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
    this.#sights.delete(node);
    this.#forget(node);
  }

  /** What was not written changes nothing but that the evictor tried. */
  #onEvicted({ node, peer, isWritten, at }: Stamped<QdiskFact & { kind: 'qdisk.evicted' }>, verdict: Verdict): void {
    if (isWritten) {
      this.#evicted.set(peer, { last: at, rounds: 0 });
      return this.#forget(peer);
    }
    const master = this.#masters.get(peer);
    if (master === undefined) return;
    verdict.count('qdisk-eviction-unwritten');
    const own = this.#masters.get(node);
    own?.tried.set(master, at);
    own?.rounds.set(master, 0);
    if (own !== undefined) master.rounds.set(own, 0);
  }

  /** A bid stands for some cycles: in the later ones it has read the blocks of all that were master before. */
  #assume(fact: Stamped<Fact>, verdict: Verdict): void {
    const since = this.#vacantSince.get(fact.node) ?? 0;
    for (const [other, master] of this.#masters) {
      if (other !== fact.node && this.#sees(fact.node, other, 'up') && master.since <= since) {
        this.#violate(fact.node, other, verdict);
      }
    }
  }

  #confirm(fact: Stamped<Fact>, verdict: Verdict): void {
    const { node, at } = fact;
    if (this.#evicted.has(node)) return this.#goOn(node, at, verdict);
    const own = this.#masters.get(node) ?? { since: at, last: -1, rounds: new Map(), tried: new Map() };
    this.#masters.set(node, own);
    if (own.last === at) return;
    for (const [other, master] of this.#masters) if (master !== own) this.#meet(node, own, other, master, verdict);
    own.last = at;
  }

  /** An evicted master has not read the notice yet. */
  #goOn(node: number, at: Nanos, verdict: Verdict): void {
    const own = this.#evicted.get(node)!;
    if (own.last === at) return;
    const [other] = [...this.#masters].find(([, { last }]) => last >= own.last) ?? [];
    own.last = at;
    if (other === undefined) return;
    own.rounds += 1;
    if (own.rounds > MOST_EVICTED_ROUNDS) this.#violate(node, other, verdict);
  }

  #meet(node: number, own: Master, other: number, master: Master, verdict: Verdict): void {
    const rounds = (own.rounds.get(master) ?? 0) + (own.last >= 0 && master.last >= own.last ? 1 : 0);
    own.rounds.set(master, rounds);
    const isFollowedUnseen = own.since <= master.since && this.#sightsOf(other).get(node) === undefined;
    if (rounds === 1 && isFollowedUnseen) verdict.count('qdisk-stale-master');
    // It read the other one's block in this cycle, and that already said MASTER.
    const isKnown = master.since <= own.last;
    const mustYield = isKnown && other < node && this.#sees(node, other, 'up');
    const mustEvict = isKnown && this.#sees(node, other, 'down') && (own.tried.get(master) ?? -1) < own.last;
    if (mustYield || mustEvict || rounds > MOST_ROUNDS) this.#violate(node, other, verdict);
  }

  #violate(node: number, other: number, verdict: Verdict): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const nodes = [node, other].sort((a, b) => a - b);
    verdict.violate(`nodes ${nodes.join(' and ')} are both master, expected one`, nodes);
  }

  #sees(node: number, other: number, sight: Sight): boolean {
    return this.#sightsOf(node).get(other) === sight;
  }

  #sightsOf(node: number): Map<number, Sight> {
    const sights = this.#sights.get(node) ?? new Map<number, Sight>();
    this.#sights.set(node, sights);
    return sights;
  }

  /** Who was evicted or starts anew has to be seen up again. */
  #forget(node: number): void {
    this.#masters.delete(node);
    for (const sights of this.#sights.values()) sights.delete(node);
  }
}

const oneMaster: Invariant = defineInvariant<QdiskFact | NodeStateFact>({
  id: 'S10',
  name: 'qdisk-master',
  statement:
    'No node takes the role of an un-evicted quorum disk master that it sees up, and of two masters the higher one yields as soon ' +
    'as it sees the lower one up. Until then there may be two, when one that stood still goes on after a node has followed it ' +
    'that never saw it: counted as qdisk-stale-master. Who follows one that it has seen evicts it, or tries in each cycle: counted ' +
    'as qdisk-eviction-unwritten. An evicted one goes on for two rounds at most.',
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
