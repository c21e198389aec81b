import { emptyMask, isInMask, type NodeMask, nodesOf, setInMask } from './node-mask.js';

/**
 * The nodes to which a master grants the votes of the quorum device.
 *
 * Source: cluster.git cman/qdisk/main.c, `check_cman`.
 */
export class MasterMask {
  readonly bytes: NodeMask = emptyMask();
  #checkCycle = 0;

  get nodes(): readonly number[] {
    return nodesOf(this.bytes);
  }

  clear(): void {
    this.bytes.fill(0);
  }

  /**
   * Grants to those that are seen up on disk and are members of the cluster as cman sees it.
   *
   * @returns whether that changed anything.
   */
  check(seen: NodeMask, members: readonly number[]): boolean {
    const before = this.nodes;
    this.clear();
    for (const nodeId of members) if (isInMask(seen, nodeId)) setInMask(this.bytes, nodeId, true);
    const after = this.nodes;
    return before.length !== after.length || before.some((node, i) => node !== after[i]);
  }

  /** Members without a qdiskd, as far as it is their turn: only every fourth node looked at is checked. */
  unlistening(members: readonly number[], listening: ReadonlySet<number> | undefined): readonly number[] {
    return members.filter((nodeId) => {
      this.#checkCycle = (this.#checkCycle + 1) % 4;
      return this.#checkCycle === 1 && listening?.has(nodeId) === false;
    });
  }
}
