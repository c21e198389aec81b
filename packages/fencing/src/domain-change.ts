import type { ChangeInfo, FencedMessage, NodeInfo } from './message.js';
import type { NodeHistory } from './node-history.js';

/** Why a process left a group, as CPG says it. */
export type LeaveReason = 'leave' | 'nodedown' | 'procdown';

export interface Departure {
  readonly node: number;
  readonly reason: LeaveReason;
}

/** A configuration of a group as CPG delivers it. */
export interface Confchg {
  readonly members: readonly number[];
  readonly joined: readonly number[];
  readonly left: readonly Departure[];
}

export interface Member {
  readonly nodeId: number;
  readonly isAdded: boolean;
  readonly hasFailed: boolean;
  /** Its start message for this change has come. */
  hasStarted: boolean;
  startFlags: number;
  /** Both it and we have completed start cycles before, and now it joins: two halves of a partition have met. */
  isDisallowed: boolean;
}

/** What a change waits for: quorum and equal rings, start messages of all members, or the end of fencing. */
export type WaitState = 'quorum' | 'messages' | 'fencing';

/** A change of the domain's membership that has not been dealt with (`change`). */
export interface Change {
  readonly seq: number;
  readonly members: readonly Member[];
  readonly removed: readonly Member[];
  readonly joinedCount: number;
  readonly failedCount: number;
  readonly weJoined: boolean;
  /** Wall second. */
  readonly createTime: number;
  /**
   * Ring that CPG was on when nodes went down by this change, `NO_RING` if it had named none: the change is not acted on
   * before CPG has named another. Undefined when no node went down.
   */
  readonly ringBefore: number | undefined;
  state: WaitState;
  hasSentStart: boolean;
}

/** Stands for the ring as long as CPG has named none. */
export const NO_RING = -1;

/** Source: cluster.git fence/fenced/cpg.c, `add_change`. */
export function newChange(confchg: Confchg, seq: number, me: number, createTime: number, ringSeq: number): Change {
  const joined = new Set(confchg.joined);
  const removed = confchg.left.map(({ node, reason }) => newMember(node, false, reason !== 'leave'));
  return {
    seq,
    members: confchg.members.map((node) => newMember(node, joined.has(node), false)),
    removed,
    joinedCount: joined.size,
    failedCount: removed.filter((member) => member.hasFailed).length,
    weJoined: joined.has(me),
    createTime,
    ringBefore: confchg.left.some(({ reason }) => reason === 'nodedown') ? ringSeq : undefined,
    state: 'quorum',
    hasSentStart: false,
  };
}

function newMember(nodeId: number, isAdded: boolean, hasFailed: boolean): Member {
  return { nodeId, isAdded, hasFailed, hasStarted: false, startFlags: 0, isDisallowed: false };
}

export function findMember(change: Change, nodeId: number): Member | undefined {
  return change.members.find((member) => member.nodeId === nodeId);
}

export function changeInfoOf(change: Change, startedCount: number): ChangeInfo {
  return {
    startedCount,
    memberCount: change.members.length,
    joinedCount: change.joinedCount,
    removeCount: change.removed.length,
    failedCount: change.failedCount,
  };
}

/** Whether two changes look the same to others. */
export function isLookalike(a: Change, b: Change): boolean {
  return (
    a.members.length === b.members.length &&
    a.joinedCount === b.joinedCount &&
    a.removed.length === b.removed.length &&
    a.failedCount === b.failedCount &&
    a.members.every((member) => findMember(b, member.nodeId) !== undefined)
  );
}

type StartMessage = FencedMessage & { readonly kind: 'start' | 'complete' };

/**
 * Whether a start message can have been sent for this change. There is no common number for changes: they are matched by
 * their counts and members, and by what cannot be. `debug` hears why it does not match, or that it does.
 *
 * Source: cluster.git fence/fenced/cpg.c, `match_change`, in its order.
 */
export function matchChange(
  change: Change,
  message: StartMessage,
  me: number,
  history: ReadonlyMap<number, NodeHistory>,
  debug: (text: string) => void,
): boolean {
  const { from, data } = message.header;
  const mismatch = mismatchOf(change, message, me, history.get(from));
  const verdict = mismatch === undefined ? `matches cg ${change.seq}` : `skip cg ${change.seq} ${mismatch}`;
  debug(`match_change ${from}:${data} ${verdict}`);
  if (mismatch !== undefined) return false;
  history.get(from)!.lastMatchSeq = change.seq;
  return true;
}

function mismatchOf(
  change: Change,
  { header, info, nodes }: StartMessage,
  me: number,
  past: NodeHistory | undefined,
): string | undefined {
  if (!isMemberIn(nodes, me)) return 'we are not in members';
  const sender = findMember(change, header.from);
  if (sender === undefined) return 'sender not member';
  if (sender.hasStarted) return 'already start';
  if (past === undefined) return 'no node history';
  const { clusterAddTime, failSeq, leftSeq, lastMatchSeq } = past;
  if (clusterAddTime > change.createTime) return `created ${change.createTime} cluster add ${clusterAddTime}`;
  if (failSeq > change.seq || leftSeq > change.seq) return `fail cg ${failSeq} left cg ${leftSeq}`;
  if (lastMatchSeq > change.seq) return `last matched cg ${lastMatchSeq}`;
  if (!hasCounts(change, info)) {
    const { members, joinedCount, removed, failedCount } = change;
    return `expect counts ${members.length} ${joinedCount} ${removed.length} ${failedCount}`;
  }
  const stranger = nodes.find((node) => node.isMember && findMember(change, node.nodeId) === undefined);
  return stranger === undefined ? undefined : `no memb ${stranger.nodeId}`;
}

/** Whether a node stands as a member in a start or complete message. */
export function isMemberIn(nodes: readonly NodeInfo[], nodeId: number): boolean {
  return nodes.some((node) => node.nodeId === nodeId && node.isMember);
}

function hasCounts(change: Change, info: ChangeInfo): boolean {
  return (
    info.memberCount === change.members.length &&
    info.joinedCount === change.joinedCount &&
    info.removeCount === change.removed.length &&
    info.failedCount === change.failedCount
  );
}
