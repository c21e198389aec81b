import type { NodeStateFact, Stamped } from '@quorate/kernel';
import type { DlmFact } from '../facts.js';

/** Facts of the lock manager, and of the power of its nodes: one that is off takes part in nothing. */
export type Watched = DlmFact | NodeStateFact;

type Started = Stamped<Extract<DlmFact, { kind: 'dlm.started' }>>;

/** What is known of one node in one lockspace. */
export interface Standing {
  readonly life: number;
  isRunning: boolean;
  /** Others went on without it: what it says from then on, in this life, counts for nothing. */
  isExcluded: boolean;
  /** Its power is off; what it said last stands until the others, or its next life, say otherwise. */
  isOff: boolean;
  /** Members of its last start, each with the life that it had then. */
  members: ReadonlyMap<number, number | undefined>;
  /** Barrier bits that it has set since it started last. */
  bits: number;
}

/** Follows who takes part in which lockspace. A node leaves by saying so, by a new life, or when others go on without it. */
export class Standings {
  readonly #lockspaces = new Map<string, Map<number, Standing>>();
  readonly #onGone: (lockspace: string, node: number) => void;

  constructor(onGone: (lockspace: string, node: number) => void = () => {}) {
    this.#onGone = onGone;
  }

  of(lockspace: string, node: number): Standing | undefined {
    return this.#lockspaces.get(lockspace)?.get(node);
  }

  powerOff(node: number): void {
    for (const nodes of this.#lockspaces.values()) {
      const standing = nodes.get(node);
      if (standing !== undefined) standing.isOff = true;
    }
  }

  /** Takes a fact in. False: it comes from a node that the others have given up. */
  accepts(fact: Stamped<DlmFact>): boolean {
    const standing = this.#standing(fact.lockspace, fact.node, fact.life);
    switch (fact.kind) {
      case 'dlm.started':
        if (standing.isExcluded && this.#isOverruled(fact)) return false;
        standing.isExcluded = false;
        standing.members = new Map(fact.members.map((member) => [member, this.of(fact.lockspace, member)?.life]));
        standing.bits = 0;
        this.#exclude(fact);
        break;
      case 'dlm.stopped':
        standing.isRunning = false;
        break;
      case 'dlm.recovered':
        standing.isRunning = true;
        break;
      case 'dlm.recover-status':
        standing.bits |= fact.bit;
        break;
      case 'dlm.released':
        this.#lockspaces.get(fact.lockspace)?.delete(fact.node);
        this.#onGone(fact.lockspace, fact.node);
        break;
    }
    return !standing.isExcluded;
  }

  #standing(lockspace: string, node: number, life: number): Standing {
    let nodes = this.#lockspaces.get(lockspace);
    if (nodes === undefined) {
      nodes = new Map();
      this.#lockspaces.set(lockspace, nodes);
    }
    const known = nodes.get(node);
    if (known?.life === life) return known;
    if (known !== undefined) this.#onGone(lockspace, node);
    const standing = { life, isRunning: false, isExcluded: false, isOff: false, members: new Map(), bits: 0 };
    nodes.set(node, standing);
    return standing;
  }

  /** It stood still while others went on without it, and starts without them now: what it starts from is of the past. */
  #isOverruled({ lockspace, members }: Started): boolean {
    return [...this.#lockspaces.get(lockspace)!].some(
      ([node, { isExcluded, isOff }]) => !isExcluded && !isOff && !members.includes(node),
    );
  }

  #exclude({ lockspace, members }: Started): void {
    for (const [node, standing] of this.#lockspaces.get(lockspace) ?? []) {
      if (members.includes(node) || standing.isExcluded) continue;
      standing.isExcluded = true;
      this.#onGone(lockspace, node);
    }
  }
}

/** Facts that `Standings` lives on. */
export const STANDING_KINDS = ['dlm.started', 'dlm.stopped', 'dlm.recovered', 'dlm.released'] as const;
