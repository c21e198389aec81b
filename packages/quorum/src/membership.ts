import { type ClusterNode, NodeFlag, type NodeId, newClusterNode } from './cluster-node.js';
import type { VoteCount } from './votes.js';

/** A node as `cluster.conf` has it. */
export interface CmanNodeConfig {
  readonly nodeId: NodeId;
  readonly name: string;
  /** 0..255; 1 if absent. */
  readonly votes?: number;
  /** Its addresses on the rings, for display. */
  readonly addresses?: readonly string[];
}

/** A `fenced` flag that was set while the node was up outlives its fall if that comes within this many seconds. */
const FENCED_WHILE_UP_SECONDS = 120;

/**
 * The nodes that cman knows, in the order of their ids, and how many votes they have.
 *
 * Source: cman/daemon/commands.c, `cluster_members_list` and the functions named here.
 */
export class Membership {
  readonly #nodes = new Map<NodeId, ClusterNode>();
  #ordered: readonly ClusterNode[] = [];

  get nodes(): readonly ClusterNode[] {
    return this.#ordered;
  }

  find(nodeId: NodeId): ClusterNode | undefined {
    return this.#nodes.get(nodeId);
  }

  findByName(name: string): ClusterNode | undefined {
    return this.#ordered.find((node) => node.name === name);
  }

  members(): readonly ClusterNode[] {
    return this.#ordered.filter((node) => node.state === 'member');
  }

  hasDisallowed(): boolean {
    return this.#ordered.some((node) => node.state === 'disallowed');
  }

  /** `cluster_members`: the members, those on their way out included. */
  countMembers(): number {
    return this.#ordered.reduce((count, node) => count + Number(node.isCounted), 0);
  }

  /** `read_cman_nodes`: takes the nodes of a `cluster.conf`, and forgets dead ones that it no longer has. */
  readNodes(configs: readonly CmanNodeConfig[], expectedVotes: number | undefined): void {
    for (const node of this.#ordered) node.flags &= ~NodeFlag.reread;
    let totalVotes = 0;
    for (const config of configs) {
      const votes = config.votes ?? 1;
      const node = this.addNewNode(config.nodeId, config.name, votes);
      node.addresses = config.addresses ?? [];
      if (expectedVotes !== undefined) node.expectedVotes = expectedVotes;
      node.flags |= NodeFlag.reread;
      totalVotes += votes;
    }
    this.overrideExpected(expectedVotes ?? totalVotes);
    for (const node of this.#ordered) {
      if ((node.flags & NodeFlag.reread) === 0 && node.state === 'dead') this.#nodes.delete(node.nodeId);
    }
    this.#order();
  }

  /** `add_new_node`: makes a dead node, or gives a known one another name and other votes. */
  addNewNode(nodeId: NodeId, name: string, votes: number): ClusterNode {
    const known = this.#nodes.get(nodeId);
    if (known !== undefined) {
      known.name = name;
      known.votes = votes;
      return known;
    }
    const node = newClusterNode(nodeId, name, votes);
    this.#nodes.set(nodeId, node);
    this.#order();
    return node;
  }

  /** `override_expected`: pulls what members expect down to `expectedVotes`. */
  overrideExpected(expectedVotes: number): void {
    for (const node of this.#ordered) {
      if (node.state === 'member' && node.expectedVotes > expectedVotes) node.expectedVotes = expectedVotes;
    }
  }

  /** Lets every member expect that many votes. */
  expectAll(expectedVotes: number): void {
    for (const node of this.#ordered) if (node.state === 'member') node.expectedVotes = expectedVotes;
  }

  count(deviceVotes: number): VoteCount {
    let total = deviceVotes;
    let expected = 0;
    let members = 0;
    for (const node of this.#ordered) {
      if (node.state !== 'member') continue;
      total += node.votes;
      expected = Math.max(expected, node.expectedVotes);
      members += 1;
    }
    return { total, expected, members };
  }

  /** `add_ais_node`: the node is a member from now on. Returns whether it was none before. */
  up(node: ClusterNode, incarnation: number, wallSeconds: number): boolean {
    if (node.state !== 'dead' && node.state !== 'leaving') return false;
    node.joinedAt = wallSeconds;
    node.incarnation = incarnation;
    node.leaveReason = 0;
    node.isCounted = true;
    node.state = 'member';
    return true;
  }

  /** `del_ais_node`: totem lost the node. Returns the state in which it was. */
  down(node: ClusterNode, wallSeconds: number): ClusterNode['state'] {
    const state = node.state;
    if (state === 'dead') return state;
    const isFencedLately = wallSeconds - node.fencedAt <= FENCED_WHILE_UP_SECONDS;
    if ((node.flags & NodeFlag.fencedWhileUp) === 0 || !isFencedLately) node.flags &= ~NodeFlag.fenced;
    node.flags &= ~NodeFlag.fencedWhileUp;
    node.flags |= NodeFlag.beenDown;
    node.state = 'dead';
    node.isCounted = false;
    node.ports.fill(0);
    return state;
  }

  #order(): void {
    this.#ordered = [...this.#nodes.values()].sort((a, b) => a.nodeId - b.nodeId);
  }
}
