import type { Nanos } from '@quorate/kernel';
import type { ChangeView, ControlledLockspaceView, ControlledNodeView, WaitState } from './controld-view.js';
import type { DeadlockCycle } from './deadlock/deadlock-cycle.js';
import { type Change, type NodeHistory, newHistory } from './lockspace-change.js';
import type { PlockGroup } from './plocks/plock-group.js';

/**
 * A lockspace as its daemon has it.
 *
 * Source: dlm dlm_controld/dlm_daemon.h, `lockspace`.
 */
export interface ControlledLockspace {
  readonly name: string;
  readonly globalId: number;
  readonly group: string;
  /** Newest first. */
  readonly changes: Change[];
  started: Change | undefined;
  /** Oldest number of the changes that the started one took in. */
  combinedSeq: number;
  changeSeq: number;
  startedCount: number;
  readonly history: Map<number, NodeHistory>;
  readonly plockGroup: PlockGroup;
  /** Unless `enableDeadlock` is off. */
  readonly deadlock: DeadlockCycle | undefined;
  kernel: 'running' | 'stopping' | 'stopped';
  isJoining: boolean;
  /** Its group has not been asked for: no protocol runs yet. */
  isPending: boolean;
  /** We belong to its group. */
  hasJoined: boolean;
  isLeaving: boolean;
  /** What the newest change was last found to wait for. */
  wait: WaitState | undefined;
  waitingSince: Nanos;
  /** Polls that found it so. */
  polls: number;
  pollAt: Nanos;
}

export function historyOf(ls: ControlledLockspace, nodeid: number): NodeHistory {
  let past = ls.history.get(nodeid);
  if (past === undefined) {
    past = newHistory(nodeid);
    ls.history.set(nodeid, past);
  }
  return past;
}

/** The file system has heard of every failed node. */
export function checkFsDone(ls: ControlledLockspace): boolean {
  let isDone = true;
  for (const past of ls.history.values()) {
    if (!past.needsFs) continue;
    if (past.isFsNotified) {
      past.needsFs = false;
      past.isFsNotified = false;
    } else isDone = false;
  }
  return isDone;
}

/** What `inspect()` shows of it. */
export function controlledLockspaceView(ls: ControlledLockspace, isFsRegistered: boolean): ControlledLockspaceView {
  const { name, globalId, kernel, isJoining, isLeaving, startedCount, started, changes, wait, plockGroup } = ls;
  const newest = changes[0];
  const oldest = changes.at(-1);
  return {
    name,
    globalId,
    kernel,
    isJoining,
    isLeaving,
    isFsRegistered,
    needsPlocks: plockGroup.needsPlocks,
    savesPlocks: plockGroup.savesPlocks,
    startedCount,
    change: started === undefined ? undefined : changeView(started, ls.combinedSeq),
    newChange:
      newest === undefined ? undefined : { ...changeView(newest, oldest!.seq), wait, waitingSince: ls.waitingSince },
    nodes: [...ls.history.values()].map((past) => nodeView(past, newest ?? started)),
  };
}

function nodeView(past: NodeHistory, change: Change | undefined): ControlledNodeView {
  const member = change?.members.find(({ nodeid }) => nodeid === past.nodeid);
  const membership = member === undefined ? 0 : member.isDisallowed ? -1 : 1;
  return { ...past, membership, hasStarted: member?.hasStarted ?? false };
}

function changeView(change: Change, combinedSeq: number): ChangeView {
  return {
    members: change.members.map((member) => member.nodeid).sort((a, b) => a - b),
    joinedCount: change.joinedCount,
    removeCount: change.removed.length,
    failedCount: change.failedCount,
    seq: change.seq,
    combinedSeq,
  };
}
