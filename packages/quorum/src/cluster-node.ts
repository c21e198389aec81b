import { noPorts } from './port-bits.js';

/** Node id: positive, unique in the cluster. */
export type NodeId = number;

/** NODESTATE_JOINING 1 (never seen), _MEMBER 2, _DEAD 3, _LEAVING 4, _AISONLY 5: totem has it, cman does not count it. */
export type NodeState = 'joining' | 'member' | 'dead' | 'leaving' | 'disallowed';

/** Flags of a node; they travel in TRANSITION. */
export const NodeFlag = {
  /** It has been down since we know it. */
  beenDown: 1,
  /** It has been fenced since it last went down. */
  fenced: 2,
  /** It was fenced although it was a member, so not by fenced. */
  fencedWhileUp: 4,
  /** In a message only: its sender sees disallowed nodes. */
  seesDisallowed: 8,
  /** It has state that cannot be merged with that of a running cluster. */
  dirty: 16,
  /** It stands in the configuration that was read last. */
  reread: 32,
} as const;

/** Why a node leaves, as LEAVE carries it. */
export const LeaveReason = {
  down: 0,
  killed: 1,
  panic: 2,
  /** The others reckon without it: this one can lower the quorum. */
  removed: 3,
  rejected: 4,
  inconsistent: 5,
  dead: 6,
  noResponse: 7,
  force: 0x10,
} as const;

/** What one node knows of another, or of itself. */
export interface ClusterNode {
  readonly nodeId: NodeId;
  name: string;
  addresses: readonly string[];
  state: NodeState;
  /** Counted among the members until it is down, also while it is leaving. */
  isCounted: boolean;
  flags: number;
  votes: number;
  /** 0: not known yet. */
  expectedVotes: number;
  leaveReason: number;
  /** Ring sequence of the configuration in which it became a member. */
  incarnation: number;
  /** Wall clock second in which it became a member here; 0: never. */
  joinedAt: number;
  /** Wall clock second in which its cman started, as it says itself; 0: not known. */
  startedAt: number;
  /** Wall clock second in which it was fenced last; 0: never. */
  fencedAt: number;
  fenceAgent: string;
  readonly ports: Uint8Array;
}

export function newClusterNode(nodeId: NodeId, name: string, votes: number): ClusterNode {
  return {
    nodeId,
    name,
    addresses: [],
    state: 'dead',
    isCounted: false,
    flags: 0,
    votes,
    expectedVotes: 0,
    leaveReason: 0,
    incarnation: 0,
    joinedAt: 0,
    startedAt: 0,
    fencedAt: 0,
    fenceAgent: '',
    ports: noPorts(),
  };
}
