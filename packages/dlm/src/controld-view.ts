import type { Nanos } from '@quorate/kernel';
import type { NodeHistory } from './lockspace-change.js';

/** What the newest change of a lockspace waits for. */
export type WaitState = 'stopped' | 'ringid' | 'quorum' | 'fencing' | 'fs' | 'messages';

export interface ControldView {
  readonly nodeId: number;
  /** When it was last given something to do. */
  readonly now: Nanos;
  readonly isProtocolRunning: boolean;
  readonly isQuorate: boolean;
  /** Rings of cman and of CPG, by their sequence number; -1 before the first. */
  readonly ringSeq: number;
  readonly cpgRingSeq: number;
  /** Nodes that fenced has to deal with; undefined until it has said. */
  readonly victims: readonly number[] | undefined;
  readonly nodes: readonly ClusterNodeView[];
  readonly lockspaces: readonly ControlledLockspaceView[];
}

/** A node of the cluster as the daemon knows it; instants of its own clock, 0 for never. */
export interface ClusterNodeView {
  readonly nodeid: number;
  readonly isMember: boolean;
  readonly addedAt: Nanos;
  readonly removedAt: Nanos;
  readonly failedAt: Nanos;
  readonly fencedAt: Nanos;
}

/** A lockspace as `dlm_tool ls -n` shows it. */
export interface ControlledLockspaceView {
  readonly name: string;
  readonly globalId: number;
  readonly kernel: 'running' | 'stopping' | 'stopped';
  readonly isJoining: boolean;
  readonly isLeaving: boolean;
  readonly isFsRegistered: boolean;
  /** The posix locks of the others are still to come; and what comes meanwhile is saved. */
  readonly needsPlocks: boolean;
  readonly savesPlocks: boolean;
  readonly startedCount: number;
  readonly change: ChangeView | undefined;
  /** `waitingSince`: how long it has been waiting for just that. */
  readonly newChange: (ChangeView & { readonly wait: WaitState | undefined; readonly waitingSince: Nanos }) | undefined;
  readonly nodes: readonly ControlledNodeView[];
}

export interface ControlledNodeView extends Readonly<NodeHistory> {
  /** In the newest change, or else in the started one: 1 member, 0 none, -1 a member that joins with state. */
  readonly membership: 1 | 0 | -1;
  /** Its START for that change has come. */
  readonly hasStarted: boolean;
}

export interface ChangeView {
  readonly members: readonly number[];
  readonly joinedCount: number;
  readonly removeCount: number;
  readonly failedCount: number;
  readonly seq: number;
  readonly combinedSeq: number;
}
