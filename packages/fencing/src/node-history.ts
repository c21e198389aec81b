import type { NodeInfo } from './message.js';

/**
 * What a daemon remembers of a node that is or was in its domain (`node_history`). Times are wall seconds, 0 is never; they
 * count seconds because they go over the wire, and because the original's do.
 */
export interface NodeHistory {
  readonly nodeId: number;
  /** When its start message was accepted: from then on it is a member that can become a victim. */
  addTime: number;
  clusterAddTime: number;
  fenceTime: number;
  fencedBy: number;
  /** Position in `HOW`. */
  how: number;
  externalTime: number;
  externalBy: number;
  /** Sequence numbers of our changes: in which it last failed, left, or had its start message matched. */
  failSeq: number;
  leftSeq: number;
  lastMatchSeq: number;
}

export function newHistory(nodeId: number): NodeHistory {
  return {
    nodeId,
    addTime: 0,
    clusterAddTime: 0,
    fenceTime: 0,
    fencedBy: 0,
    how: 0,
    externalTime: 0,
    externalBy: 0,
    failSeq: 0,
    leftSeq: 0,
    lastMatchSeq: 0,
  };
}

/** Takes over from another member what happened before we joined; `debug` hears of it. */
export function saveHistory(history: NodeHistory, info: NodeInfo, debug: (text: string) => void): void {
  const { nodeId } = history;
  if (history.fenceTime === 0 && info.fenceTime !== 0) {
    history.fencedBy = info.fencedBy;
    history.fenceTime = info.fenceTime;
    history.how = info.how;
    debug(`save_history ${nodeId} master ${info.fencedBy} time ${info.fenceTime} how ${info.how}`);
  }
  if (history.externalTime === 0 && info.externalTime !== 0) {
    history.externalTime = info.externalTime;
    history.externalBy = info.externalBy;
    debug(`save_history ${nodeId} ext node ${info.externalBy} ext time ${info.externalTime}`);
  }
}

/** Whether somebody fenced it by hand since it became a member. */
export function isFencedExternally(history: NodeHistory): boolean {
  return history.externalTime > history.addTime;
}

export function nodeInfoOf(history: NodeHistory, isMember: boolean): NodeInfo {
  const { nodeId, externalBy, fencedBy, how, fenceTime, externalTime } = history;
  return { nodeId, isMember, externalBy, fencedBy, how, fenceTime, externalTime };
}
