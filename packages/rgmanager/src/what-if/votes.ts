import { type ConfElement, childrenNamed, descend } from '../conf/conf-element.js';

/** Who has quorum, by the votes of a cluster.conf. A quorum disk counts for whoever is left: its master is among them. */
export class Votes {
  readonly #ofNodes = new Map<number, number>();
  readonly #ofDisk: number;
  readonly #quorum: number;

  constructor(conf: ConfElement) {
    const nodes = childrenNamed(descend(conf, 'clusternodes'), 'clusternode');
    for (const { attributes } of nodes) {
      this.#ofNodes.set(Number(attributes.get('nodeid')), Number(attributes.get('votes') ?? 1));
    }
    const ofNodes = [...this.#ofNodes.values()].reduce((sum, votes) => sum + votes, 0);
    const [disk] = childrenNamed(conf, 'quorumd');
    // qdiskd takes one less than there are nodes.
    this.#ofDisk = disk === undefined ? 0 : Number(disk.attributes.get('votes') ?? nodes.length - 1);
    const [cman] = childrenNamed(conf, 'cman');
    // All of them are up at first, and what they have together raises what is expected, as in cman.
    const expected = Math.max(Number(cman?.attributes.get('expected_votes') ?? 0), ofNodes + this.#ofDisk);
    this.#quorum = cman?.attributes.get('two_node') === '1' ? 1 : Math.floor(expected / 2) + 1;
  }

  isQuorate(members: readonly number[]): boolean {
    const votes = members.reduce((sum, id) => sum + (this.#ofNodes.get(id) ?? 0), this.#ofDisk);
    return members.length > 0 && votes >= this.#quorum;
  }
}
