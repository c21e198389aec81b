import type { Fact, Nanos, Stamped } from '@quorate/kernel';
import { SECOND } from '@quorate/kernel';
import type { DlmFact } from '../facts.js';
import { STANDING_KINDS, Standings, type Watched } from './standings.js';

/** What Totem tells a node of its ring. */
export interface ConfigurationFact extends Fact {
  readonly kind: 'totem.configuration';
  readonly type: 'regular' | 'transitional';
  readonly members: readonly number[];
}

export type Calming = Watched | ConfigurationFact;

/** Facts that `Calm` lives on. */
export const CALM_KINDS: readonly Calming['kind'][] = [...STANDING_KINDS, 'node.state', 'totem.configuration'];

/**
 * So long may messages be under way. A lockspace that recovers, or waits for a node to be fenced, may take longer: it does
 * not run meanwhile.
 */
export const LONGEST: Nanos = 60 * SECOND;

/**
 * Follows since when nothing keeps the messages of a lockspace from arriving.
 *
 * A lockspace hears of a dead member from Totem, which waits for another consensus timeout whenever a node is lost while a
 * ring forms. Once a node was given a configuration without that member it has `LONGEST` again, and once more when the next one
 * comes within that: groups hear of a death when services have synchronized, which a ring that is lost before that never does.
 */
export class Calm {
  readonly standings: Standings;
  /** Since when every node of a lockspace may have gone on. */
  readonly #since = new Map<string, Nanos>();
  /** Nodes that are off, and when each node was first given a configuration without them. */
  readonly #off = new Map<number, Map<number, Nanos>>();
  readonly #onOff: (node: number) => void;

  constructor(onGone: (lockspace: string, node: number) => void = () => {}, onOff: (node: number) => void = () => {}) {
    this.standings = new Standings(onGone);
    this.#onOff = onOff;
  }

  /** Takes a fact in. True: it is one of the lock manager, of a node that the others have not given up. */
  accepts(fact: Stamped<Calming>): fact is Stamped<DlmFact> {
    if (fact.kind === 'totem.configuration') this.#onConfiguration(fact);
    else if (fact.kind === 'node.state') {
      if (fact.state === 'off') this.#powerOff(fact.node);
    } else if (this.standings.accepts(fact)) {
      if (fact.kind === 'dlm.started' || fact.kind === 'dlm.stopped' || fact.kind === 'dlm.recovered') {
        this.#since.set(fact.lockspace, fact.at);
      }
      return true;
    }
    return false;
  }

  /** What began then has had `LONGEST`, as has the lockspace since it went on last, and all members run. */
  hasWaited(at: Nanos, since: Nanos, lockspace: string, node: number): boolean {
    return at - since >= LONGEST && this.isOver(at, lockspace) && this.isRunning(lockspace, node);
  }

  /** For `LONGEST` no node of a lockspace has stopped, started, or gone on. */
  isOver(at: Nanos, lockspace: string): boolean {
    return at - (this.#since.get(lockspace) ?? 0) >= LONGEST;
  }

  /** The lockspace runs on that node and on all members of its last start. */
  isRunning(lockspace: string, node: number): boolean {
    const members = this.standings.of(lockspace, node)?.members.keys() ?? [];
    return this.#goesOn(lockspace, node) && [...members].every((member) => this.#goesOn(lockspace, member));
  }

  #goesOn(lockspace: string, node: number): boolean {
    const standing = this.standings.of(lockspace, node);
    return standing?.isRunning === true && !standing.isExcluded;
  }

  /** A member is off, and this node was not told so by Totem, or only just. */
  hasUnnoticedDeath(at: Nanos, lockspace: string, node: number): boolean {
    const members = this.standings.of(lockspace, node)?.members.keys() ?? [];
    return [...members].some((member) => {
      if (this.standings.of(lockspace, member)?.isOff !== true) return false;
      return at - (this.#off.get(member)?.get(node) ?? at) < LONGEST;
    });
  }

  #powerOff(node: number): void {
    this.standings.powerOff(node);
    this.#off.set(node, new Map());
    this.#onOff(node);
  }

  /** A transitional configuration lacks a member that is already back. */
  #onConfiguration({ node, at, members }: Stamped<ConfigurationFact>): void {
    for (const [member, noticed] of this.#off) {
      if (!members.includes(member) && at - (noticed.get(node) ?? at) < LONGEST) noticed.set(node, at);
    }
  }
}
