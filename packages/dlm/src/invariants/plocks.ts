import { type Check, defineInvariant, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import type { ControldFact } from '../facts.js';

type PlockFact = Extract<ControldFact, { kind: (typeof KINDS)[number] }>;
type TakenFact = Extract<PlockFact, { kind: 'dlm.plock-taken' }>;

/** What a node says of one inode, or of all, at one place of the order. */
interface Said {
  readonly node: number;
  readonly owner: number;
  readonly digest: number | undefined;
}

/** A start of a lockspace, and what its members have said since. */
interface Epoch {
  readonly said: Map<string, Said[]>;
}

/**
 * Finds what nodes say at the same place of the order of messages: since the same start of a lockspace, after as many messages
 * and departures, in a configuration with the same members.
 *
 * A start is named by its members, each with the life that it was last heard in, and by how often a node has made one with just
 * those: nobody starts without the START of every member.
 */
class Places {
  readonly #lives = new Map<number, number>();
  /** By lockspace, node and members. */
  readonly #starts = new Map<string, number>();
  /** Of each lockspace and node. */
  readonly #epochs = new Map<string, Epoch>();
  readonly #named = new Map<string, Epoch>();

  hear(fact: Stamped<PlockFact>, tell: (place: string, said: Said, others: readonly Said[]) => void): void {
    this.#lives.set(fact.node, fact.life);
    const station = `${fact.lockspace}\0${fact.node}.${fact.life}`;
    if (fact.kind === 'dlm.start-sent') return;
    if (fact.kind === 'dlm.starting') return this.#start(station, fact);
    const epoch = this.#epochs.get(station);
    if (epoch === undefined) return;
    const place = fact.kind === 'dlm.plock-taken' ? placeOf(fact) : 'start';
    const others = epoch.said.get(place) ?? [];
    const said = { node: fact.node, owner: fact.kind === 'dlm.plock-taken' ? fact.owner : 0, digest: fact.digest };
    tell(`${fact.lockspace} ${place}`, said, others);
    // When all have said it nobody will ask for it.
    if (fact.kind === 'dlm.plock-taken' && others.length + 1 === fact.members.length) epoch.said.delete(place);
    else epoch.said.set(place, [...others, said]);
  }

  #start(station: string, { lockspace, members }: Extract<PlockFact, { kind: 'dlm.starting' }>): void {
    const names = members.map((member) => `${member}.${this.#lives.get(member) ?? 0}`).join(' ');
    const counted = `${station}\0${names}`;
    const count = (this.#starts.get(counted) ?? 0) + 1;
    this.#starts.set(counted, count);
    const name = `${lockspace}\0${names}\0${count}`;
    const epoch = this.#named.get(name) ?? { said: new Map() };
    this.#named.set(name, epoch);
    this.#epochs.set(station, epoch);
  }
}

function placeOf({ position, members, inode }: TakenFact): string {
  return `inode ${inode} message ${position} members ${members.join(' ')}`;
}

const KINDS = ['dlm.start-sent', 'dlm.starting', 'dlm.plock-taken', 'dlm.plocks-whole'] as const;

function watch(compare: (place: string, said: Said, other: Said, verdict: Verdict) => void): Check<PlockFact> {
  const places = new Places();
  return {
    observe(fact, verdict) {
      places.hear(fact, (place, said, others) => {
        for (const other of others) if (other.node !== said.node) compare(place, said, other, verdict);
      });
    },
  };
}

const replicas: Invariant = defineInvariant<PlockFact>({
  id: 'dlm.S14',
  name: 'plock-replicas',
  statement: 'After the same messages all members have the same posix locks on inodes that nobody owns.',
  kinds: KINDS,
  start(): Check<PlockFact> {
    return watch((place, said, other, verdict) => {
      if (said.digest === undefined || other.digest === undefined || said.digest === other.digest) return;
      verdict.violate(`${place}: posix locks of nodes ${other.node} and ${said.node} differ`, [other.node, said.node]);
    });
  },
});

const oneOwner: Invariant = defineInvariant<PlockFact>({
  id: 'dlm.S15',
  name: 'plock-owner',
  statement: 'After the same messages who takes itself for the owner of an inode is taken for it by all members.',
  kinds: KINDS,
  start(): Check<PlockFact> {
    return watch((place, said, other, verdict) => {
      for (const [one, another] of [
        [said, other],
        [other, said],
      ] as const) {
        if (one.owner !== one.node || another.owner === one.node) continue;
        const text = `${place}: node ${one.node} owns it, and node ${another.node} says ${another.owner}`;
        return verdict.violate(text, [one.node, another.node]);
      }
    });
  },
});

/** What must never be observed of posix locks. */
export const plockInvariants: readonly Invariant[] = [replicas, oneOwner];
