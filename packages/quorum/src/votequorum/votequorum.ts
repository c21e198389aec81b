import { ByteWriter, ConfigError, type Machine, type Nanos } from '@quorate/kernel';
import type { NodeId } from '../cluster-node.js';
import type { RingId } from '../fact.js';
import { calculateQuorum } from '../votes.js';
import {
  decodeVotequorumMessage,
  encodeVotequorumMessage,
  type NodeInfo,
  NodeInfoFlag,
  type Reconfigure,
} from './votequorum-message.js';

export type VotequorumInput =
  /** A regular configuration; its synchronisation begins. */
  | { readonly kind: 'configuration'; readonly ring: RingId; readonly members: readonly NodeId[] }
  /** This service's turn in the synchronisation. */
  | { readonly kind: 'sync-process' }
  /** The votes of all members are here. */
  | { readonly kind: 'sync-activate' }
  /** A message of group `a`; those of other services are ignored. */
  | { readonly kind: 'deliver'; readonly from: NodeId; readonly payload: Uint8Array }
  /** An administrator's change, told to all nodes. */
  | Reconfigure
  | { readonly kind: 'wake' };

export type VotequorumOutput =
  /** To group `a`; lent. */
  | { readonly kind: 'cast'; readonly payload: Uint8Array }
  /** After each synchronisation, and when quorum is won or lost outside of one. */
  | QuorumOutput;

export interface QuorumOutput extends VotequorumView {
  readonly kind: 'quorum';
  readonly ring: RingId;
  readonly members: readonly NodeId[];
}

export interface VotequorumConfig {
  readonly nodeId: NodeId;
  /** Of this node, `quorum_votes`. */
  readonly votes: number;
  /** `expected_votes`, or the sum of the votes of all nodes. */
  readonly expectedVotes: number;
  /** One vote is enough while there are no more than two nodes. */
  readonly isTwoNode?: boolean;
  /** No quorum before all nodes have been seen once; true for two nodes unless told. */
  readonly isWaitForAll?: boolean;
}

export interface VotequorumView {
  readonly isQuorate: boolean;
  readonly quorum: number;
  readonly total: number;
  readonly expected: number;
  readonly isWaitingForAll: boolean;
  readonly nodes: readonly { readonly node: NodeId; readonly votes: number; readonly state: Voter['state'] }[];
}

/** What is known of a node since it was first heard of. */
interface Voter {
  state: 'member' | 'leaving' | 'dead';
  votes: number;
  expectedVotes: number;
  flags: number;
}

/**
 * Votes of corosync 3.1's nodes: each tells its own in every synchronisation, and each counts for itself.
 *
 * Of its options those that change how votes are counted everywhere: `two_node` and `wait_for_all`. A node of a cluster
 * with `auto_tie_breaker`, `last_man_standing` or a quorum device of its own would have to know more than this does.
 *
 * Source: corosync exec/votequorum.c; votequorum(5).
 */
export class Votequorum implements Machine<VotequorumInput, VotequorumOutput> {
  readonly #nodeId: NodeId;
  readonly #isTwoNode: boolean;
  readonly #isWaitForAll: boolean;
  readonly #writer = new ByteWriter(true, 64);
  readonly #voters = new Map<NodeId, Voter>();
  readonly #us: Voter;
  /** What other nodes' device casts; this node has none. */
  #deviceVotes = 0;
  #ring: RingId;
  #members: readonly NodeId[] = [];
  #quorum = 0;
  #total = 0;
  #isQuorate = false;
  #isSyncing = false;
  #emit: (output: VotequorumOutput) => void = nobody;

  /** @throws {ConfigError} for votes outside 0 to 255, and for no expected votes. */
  constructor(config: VotequorumConfig) {
    const { nodeId, votes, expectedVotes } = config;
    if (!isWhole(votes, 0, 255)) throw new ConfigError('votes', `${votes}`, '0 to 255');
    if (!isWhole(expectedVotes, 1, 0xffff_ffff))
      throw new ConfigError('expectedVotes', `${expectedVotes}`, 'at least 1');
    this.#nodeId = nodeId;
    this.#isTwoNode = config.isTwoNode ?? false;
    this.#isWaitForAll = config.isWaitForAll ?? this.#isTwoNode;
    this.#ring = { representative: nodeId, seq: 0 };
    const flags = NodeInfoFlag.first | (this.#isWaitForAll ? NodeInfoFlag.waitForAll : 0);
    this.#us = { state: 'member', votes, expectedVotes, flags };
    this.#voters.set(nodeId, this.#us);
    this.#recalculate(false, false);
  }

  step(_now: Nanos, input: VotequorumInput, emit: (output: VotequorumOutput) => void): void {
    this.#emit = emit;
    this.#on(input);
    this.#emit = nobody;
  }

  deadline(): Nanos {
    return Infinity;
  }

  inspect(): VotequorumView {
    const nodes = [...this.#voters].map(([node, { votes, state }]) => ({ node, votes, state }));
    return {
      isQuorate: this.#isQuorate,
      quorum: this.#quorum,
      total: this.#total,
      expected: this.#us.expectedVotes,
      isWaitingForAll: this.#isWaitingForAll,
      nodes: nodes.sort((a, b) => a.node - b.node),
    };
  }

  #on(input: VotequorumInput): void {
    switch (input.kind) {
      case 'configuration':
        return this.#onConfiguration(input.ring, input.members);
      case 'sync-process':
        return this.#tellVotes();
      case 'sync-activate':
        return this.#onActivate();
      case 'deliver':
        return this.#onDeliver(input.payload, input.from);
      case 'reconfigure':
        return this.#cast(input);
      case 'wake':
    }
  }

  #onConfiguration(ring: RingId, members: readonly NodeId[]): void {
    this.#isSyncing = true;
    if (members.length > 1) this.#us.flags &= ~NodeInfoFlag.first;
    for (const node of this.#members) {
      const voter = this.#voters.get(node);
      if (voter !== undefined && !members.includes(node)) voter.state = 'dead';
    }
    this.#ring = ring;
    this.#members = members;
  }

  /** Its own, and those of the device, node 0: none. */
  #tellVotes(): void {
    const { votes, expectedVotes, flags } = this.#us;
    this.#cast({ kind: 'node-info', node: this.#nodeId, votes, expectedVotes, flags });
    this.#cast({ kind: 'node-info', node: DEVICE, votes: this.#deviceVotes, expectedVotes: 0, flags: 0 });
  }

  #onActivate(): void {
    this.#recalculate(false, false);
    this.#isSyncing = false;
    this.#tellQuorum();
  }

  #onDeliver(payload: Uint8Array, from: NodeId): void {
    const message = decodeVotequorumMessage(payload);
    if (message?.kind === 'node-info') this.#onNodeInfo(message, from);
    else if (message?.kind === 'reconfigure') this.#onReconfigure(message);
  }

  #onNodeInfo(info: NodeInfo, from: NodeId): void {
    if (info.node === DEVICE) return this.#onDeviceInfo(info, from);
    const before = this.#voters.get(info.node);
    const voter = before ?? { state: 'dead', votes: 0, expectedVotes: 0, flags: 0 };
    const old = { ...voter };
    this.#voters.set(info.node, voter);
    voter.flags = info.flags;
    voter.votes = info.votes;
    const isLeaving = (info.flags & NodeInfoFlag.leaving) !== 0;
    voter.state = isLeaving ? 'leaving' : 'member';
    const isSenderQuorate = (info.flags & NodeInfoFlag.quorate) !== 0;
    const isBelieved = isSenderQuorate && !this.#isQuorate;
    if (isBelieved) this.#us.expectedVotes = info.expectedVotes;
    voter.expectedVotes = isSenderQuorate ? info.expectedVotes : this.#us.expectedVotes;
    const isNews = before === undefined || info.node === this.#nodeId || (info.flags & NodeInfoFlag.first) !== 0;
    if (isNews || isChanged(old, voter)) this.#recalculate(isLeaving || isBelieved, isLeaving);
    if (isSenderQuorate && (info.flags & NodeInfoFlag.waitForAll) === 0) this.#setWaitingForAll(false);
  }

  #onDeviceInfo(info: NodeInfo, from: NodeId): void {
    const isSenderQuorate = ((this.#voters.get(from)?.flags ?? 0) & NodeInfoFlag.quorate) !== 0;
    const before = this.#deviceVotes;
    this.#deviceVotes = isSenderQuorate && !this.#isQuorate ? info.votes : Math.max(before, info.votes);
    if (this.#deviceVotes !== before) this.#recalculate(false, false);
  }

  #onReconfigure({ param, node, value }: Reconfigure): void {
    switch (param) {
      case 'expected-votes':
        this.#expectOfMembers(value);
        return this.#recalculate(true, false);
      case 'node-votes': {
        const voter = this.#voters.get(node);
        if (voter === undefined) return;
        voter.votes = value;
        return this.#recalculate(true, false);
      }
      case 'cancel-wait-for-all':
        this.#setWaitingForAll(false);
        return this.#recalculate(false, false);
    }
  }

  #memberVoters(): readonly Voter[] {
    return [...this.#voters.values()].filter((voter) => voter.state === 'member');
  }

  #expectOfMembers(votes: number): void {
    for (const voter of this.#memberVoters()) voter.expectedVotes = votes;
  }

  /** With `byNodes` as many votes are expected as there are members: one of them leaves for good. */
  #recalculate(isDecreaseAllowed: boolean, byNodes: boolean): void {
    const members = this.#memberVoters();
    const total = members.reduce((sum, voter) => sum + voter.votes, 0);
    this.#us.expectedVotes = Math.max(this.#us.expectedVotes, total + this.#deviceVotes);
    if (byNodes) this.#expectOfMembers(members.length + (this.#deviceVotes > 0 ? 1 : 0));
    const expected = Math.max(...members.map((voter) => voter.expectedVotes));
    const count = { total, expected, members: members.length };
    this.#quorum = calculateQuorum(count, this.#quorum, isDecreaseAllowed, this.#isTwoNode);
    this.#total = total;
    this.#judge();
  }

  #judge(): void {
    if (this.#isWaitForAll && this.#isWaitingForAll && this.#total !== this.#us.expectedVotes) return;
    const wasQuorate = this.#isQuorate;
    this.#isQuorate = this.#total >= this.#quorum;
    if (this.#isQuorate) this.#us.flags |= NodeInfoFlag.quorate;
    else this.#us.flags &= ~NodeInfoFlag.quorate;
    if (this.#isWaitForAll) this.#setWaitingForAll(!this.#isQuorate);
    if (this.#isQuorate !== wasQuorate && !this.#isSyncing) this.#tellQuorum();
  }

  get #isWaitingForAll(): boolean {
    return (this.#us.flags & NodeInfoFlag.waitForAll) !== 0;
  }

  #setWaitingForAll(isWaiting: boolean): void {
    if (isWaiting) this.#us.flags |= NodeInfoFlag.waitForAll;
    else this.#us.flags &= ~NodeInfoFlag.waitForAll;
  }

  #tellQuorum(): void {
    this.#emit({ kind: 'quorum', ring: this.#ring, members: this.#members, ...this.inspect() });
  }

  #cast(message: NodeInfo | Reconfigure): void {
    this.#emit({ kind: 'cast', payload: encodeVotequorumMessage(this.#writer, message) });
  }
}

/** The quorum device's node id. */
const DEVICE = 0;

function isChanged(before: Voter, after: Voter): boolean {
  return (
    before.votes !== after.votes ||
    before.expectedVotes !== after.expectedVotes ||
    before.flags !== after.flags ||
    before.state !== after.state
  );
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function nobody(): void {}
