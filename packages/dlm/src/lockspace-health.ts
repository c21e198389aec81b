import { type Nanos, SECOND } from '@quorate/kernel';
import type { ControldView, ControlledLockspaceView, WaitState } from './controld-view.js';

/** How a lockspace does, for programs that watch it. */
export interface LockspaceHealth {
  readonly lockspace: string;
  /** `waiting`: it stands still, or has not begun yet. */
  readonly state: 'running' | 'waiting' | 'leaving';
  readonly waitsFor?: WaitState;
  /** For how long it has waited for that. */
  readonly seconds?: number;
  /** Nodes that it waits for: to be fenced, to be noted by the file system, or to send START. */
  readonly nodes?: readonly number[];
}

/** How the lockspaces of a node do; `isHealthy`: all run. */
export interface ControldHealth {
  readonly node: number;
  readonly isHealthy: boolean;
  readonly isQuorate: boolean;
  /** Nodes that fenced still has to deal with. */
  readonly victims: readonly number[];
  readonly lockspaces: readonly LockspaceHealth[];
}

/** What a monitor wants to know; made of `inspect()` of the daemon. */
export function controldHealth(view: ControldView): ControldHealth {
  const lockspaces = view.lockspaces.map((ls) => lockspaceHealth(ls, view));
  return {
    node: view.nodeId,
    isHealthy: lockspaces.every(({ state }) => state !== 'waiting'),
    isQuorate: view.isQuorate,
    victims: view.victims ?? [],
    lockspaces,
  };
}

function lockspaceHealth(ls: ControlledLockspaceView, view: ControldView): LockspaceHealth {
  const { name: lockspace, newChange, isJoining, isLeaving } = ls;
  if (isLeaving) return { lockspace, state: 'leaving' };
  if (newChange === undefined) return { lockspace, state: isJoining ? 'waiting' : 'running' };
  const { wait, waitingSince } = newChange;
  const seconds = secondsBetween(waitingSince, view.now);
  const nodes = waitedFor(ls, view);
  return { lockspace, state: 'waiting', ...(wait && { waitsFor: wait }), seconds, ...(nodes.length > 0 && { nodes }) };
}

/** The nodes that the newest change of a lockspace waits for. */
export function waitedFor(ls: ControlledLockspaceView, { victims = [] }: ControldView): readonly number[] {
  const { nodes, newChange } = ls;
  switch (newChange?.wait) {
    case 'fencing': {
      const failed = nodes.filter(({ needsFencing }) => needsFencing).map(({ nodeid }) => nodeid);
      return [...new Set([...failed, ...victims])].sort((a, b) => a - b);
    }
    case 'fs':
      return nodes.filter(({ needsFs, isFsNotified }) => needsFs && !isFsNotified).map(({ nodeid }) => nodeid);
    case 'messages': {
      const started = nodes.filter(({ hasStarted }) => hasStarted).map(({ nodeid }) => nodeid);
      return newChange.members.filter((member) => !started.includes(member));
    }
    default:
      return [];
  }
}

export function secondsBetween(from: Nanos, to: Nanos): number {
  return Math.max(0, Math.floor((to - from) / SECOND));
}

/** `dlm_tool health`: a line for what waits, and one at the end. */
export function healthText({ isHealthy, lockspaces }: ControldHealth): string {
  const lines = lockspaces.map(({ lockspace, state, waitsFor, seconds, nodes = [] }) => {
    const what = waitsFor === undefined ? '' : ` for ${[waitsFor, ...nodes].join(' ')} since ${seconds} s`;
    return `${lockspace} ${state}${what}\n`;
  });
  return `${lines.join('')}${isHealthy ? 'healthy' : 'waiting'}\n`;
}
