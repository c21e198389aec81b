import { blankStatus, DiskState, isRunning, type StatusBlock } from './status-block.js';

/** What a qdiskd knows of one node (`node_info_t`). Its own entry stays at state NONE; only `status` is kept up there. */
export interface Peer {
  readonly nodeId: number;
  /** Our view of it (`ni_state`). */
  state: DiskState;
  /** Its block as last read (`ni_status`). */
  status: StatusBlock;
  /** Reads in a row that showed no new heartbeat. */
  misses: number;
  /** Heartbeats since it was last gone. */
  seen: number;
  /** Its last heartbeat. */
  lastSeen: number;
  /** Incarnation it came up with; empty for none. */
  incarnation: string;
  /** Incarnation we gave up: should it write again by itself, the node is undead. Empty for none. */
  evilIncarnation: string;
}

/** A node of which nothing has been read. `timestamp` is the second at which we start. */
export function unknownPeer(nodeId: number, timestamp: number): Peer {
  const status = blankStatus(nodeId, timestamp);
  const incarnation = '';
  return {
    nodeId,
    state: DiskState.NONE,
    status,
    misses: 0,
    seen: 0,
    lastSeen: timestamp,
    incarnation,
    evilIncarnation: incarnation,
  };
}

/** Takes in a block just read from another node's slot: a new time stamp is a heartbeat. True when one was missed. */
export function countHeartbeat(peer: Peer, status: StatusBlock, countsMisses = true): boolean {
  peer.status = status;
  if (!isRunning(status.state)) return false;
  if (status.timestamp === peer.lastSeen && peer.state !== DiskState.EXIT) {
    if (peer.state === DiskState.NONE || !countsMisses) return false;
    peer.misses += 1;
    return true;
  }
  peer.misses = 0;
  peer.seen += 1;
  peer.lastSeen = status.timestamp;
  return false;
}

/** Forgets what was known of a node that is gone. */
export function forgetPeer(peer: Peer): void {
  peer.incarnation = '';
  peer.seen = 0;
  peer.misses = 0;
  peer.state = DiskState.NONE;
}
