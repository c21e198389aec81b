import type { StartInfo } from './start-info.js';

/** Why a daemon left a group, as CPG says it. */
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

export interface ChangeMember {
  readonly nodeid: number;
  readonly isAdded: boolean;
  /** Its START for this change has come. */
  hasStarted: boolean;
  /** It said there that it has the posix locks of the lockspace (HAVEPLOCK). */
  hasPlocks: boolean;
  /** It said that a START which looks like this change is meant for a later one. */
  isNacked: boolean;
  /** It joins and has state, and so have we: the change never starts. */
  isDisallowed: boolean;
}

interface Removed {
  readonly nodeid: number;
  readonly hasFailed: boolean;
}

/**
 * A change of a lockspace's members that has not been applied.
 *
 * Source: dlm dlm_controld/cpg.c, `change`.
 */
export interface Change {
  readonly seq: number;
  readonly members: readonly ChangeMember[];
  readonly removed: readonly Removed[];
  readonly joinedCount: number;
  readonly failedCount: number;
  readonly weJoined: boolean;
  /** CPG's ring when nodes went down by this change; CPG has to name the next one first. Undefined: none went down. */
  readonly ringBefore: number | undefined;
  /** `conditions`: ring, quorum, fencing, file system. `messages`: START of all members. */
  state: 'conditions' | 'messages';
}

/** What a lockspace remembers of a node (`node`). */
export interface NodeHistory {
  readonly nodeid: number;
  /** When a START of it was accepted; undefined: it has no state that would need fencing. */
  startTime: number | undefined;
  failTime: number;
  needsFencing: boolean;
  /** The file system has to be told of its failure. */
  needsFs: boolean;
  isFsNotified: boolean;
  /** Change by which it went last: what it sends now is about a later one. */
  removedSeq: number;
  lastMatchSeq: number;
  addedSeq: number;
  failedReason: LeaveReason | undefined;
}

export function newHistory(nodeid: number): NodeHistory {
  return {
    nodeid,
    startTime: undefined,
    failTime: 0,
    needsFencing: false,
    needsFs: false,
    isFsNotified: false,
    removedSeq: 0,
    lastMatchSeq: 0,
    addedSeq: 0,
    failedReason: undefined,
  };
}

/** Source: dlm dlm_controld/cpg.c, `add_change`. */
export function newChange({ members, joined, left }: Confchg, seq: number, me: number, ring: number): Change {
  const removed = left.map(({ node, reason }) => ({ nodeid: node, hasFailed: reason !== 'leave' }));
  return {
    seq,
    members: members.map((nodeid) => ({
      nodeid,
      isAdded: joined.includes(nodeid),
      hasStarted: false,
      hasPlocks: false,
      isNacked: false,
      isDisallowed: false,
    })),
    removed,
    joinedCount: joined.length,
    failedCount: removed.filter((node) => node.hasFailed).length,
    weJoined: joined.includes(me),
    ringBefore: left.some(({ reason }) => reason === 'nodedown') ? ring : undefined,
    state: 'conditions',
  };
}

export function findMember(change: Change, nodeid: number): ChangeMember | undefined {
  return change.members.find((member) => member.nodeid === nodeid);
}

export function startInfoOf(change: Change, startedCount: number): StartInfo {
  return {
    startedCount,
    memberCount: change.members.length,
    joinedCount: change.joinedCount,
    removeCount: change.removed.length,
    failedCount: change.failedCount,
    members: change.members.map((member) => member.nodeid),
  };
}

/** Whether a START for one could be taken for the other. */
export function isLookalike(a: Change, b: Change): boolean {
  return hasCounts(a, startInfoOf(b, 0)) && b.members.every(({ nodeid }) => findMember(a, nodeid) !== undefined);
}

function hasCounts(change: Change, info: StartInfo): boolean {
  return (
    info.memberCount === change.members.length &&
    info.joinedCount === change.joinedCount &&
    info.removeCount === change.removed.length &&
    info.failedCount === change.failedCount
  );
}

/** Whether a START can have been sent for this change, whose sender has sent none. */
export function matchStart(change: Change, from: number, info: StartInfo, me: number, past: NodeHistory): boolean {
  return findMember(change, from)?.hasStarted === false && matchChange(change, from, info, me, past);
}

/**
 * Whether a message that names a change can have been sent for this one. Changes have no common number: counts and members have
 * to do.
 *
 * Differs from dlm_controld, which asks whether the sender joined the cluster after the change was made; that clock can
 * be behind. That the sender went by a later change says the same in CPG's own order.
 *
 * Source: dlm dlm_controld/cpg.c, `match_change`.
 */
export function matchChange(change: Change, from: number, info: StartInfo, me: number, past: NodeHistory): boolean {
  const sender = findMember(change, from);
  if (!info.members.includes(me) || sender === undefined) return false;
  if (past.removedSeq > change.seq || past.lastMatchSeq > change.seq) return false;
  return hasCounts(change, info) && info.members.every((nodeid) => findMember(change, nodeid) !== undefined);
}
