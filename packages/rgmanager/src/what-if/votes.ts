import { type ConfElement, childrenNamed, descend } from '../conf/conf-element.js';

/** Votes that are there, votes that are expected, and how many members have them. */
export interface VoteCount {
  /** Of all members, and of the quorum disk. */
  readonly total: number;
  readonly expected: number;
  readonly members: number;
}

/** How many votes are enough; `quorum` is what was enough before. `calculateQuorum` of `@quorate/quorum` is cman's rule. */
export type QuorumRule = (count: VoteCount, quorum: number, isDecreaseAllowed: boolean, isTwoNode: boolean) => number;

/** Who has quorum, by the votes of a cluster.conf. A quorum disk counts for whoever is left: its master is among them. */
export class Votes {
  readonly #rule: QuorumRule;
  readonly #ofNodes = new Map<number, number>();
  readonly #ofDisk: number;
  readonly #expected: number;
  readonly #isTwoNode: boolean;
  #quorum = 0;

  constructor(conf: ConfElement, rule: QuorumRule) {
    this.#rule = rule;
    const nodes = childrenNamed(descend(conf, 'clusternodes'), 'clusternode');
    for (const { attributes } of nodes) {
      this.#ofNodes.set(Number(attributes.get('nodeid')), Number(attributes.get('votes') ?? 1));
    }
    const ofNodes = [...this.#ofNodes.values()].reduce((sum, votes) => sum + votes, 0);
    const [disk] = childrenNamed(conf, 'quorumd');
    // qdiskd takes one less than there are nodes.
    this.#ofDisk = disk === undefined ? 0 : Number(disk.attributes.get('votes') ?? nodes.length - 1);
    const [cman] = childrenNamed(conf, 'cman');
    this.#expected = Number(cman?.attributes.get('expected_votes') ?? ofNodes + this.#ofDisk);
    this.#isTwoNode = cman?.attributes.get('two_node') === '1';
  }

  /** The members are these now. */
  isQuorate(members: readonly number[]): boolean {
    if (members.length === 0) return false;
    const total = members.reduce((sum, id) => sum + (this.#ofNodes.get(id) ?? 0), this.#ofDisk);
    const count = { total, expected: this.#expected, members: members.length };
    this.#quorum = this.#rule(count, this.#quorum, false, this.#isTwoNode);
    return total >= this.#quorum;
  }
}
