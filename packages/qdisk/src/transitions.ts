import type { Peer } from './peer.js';
import { DiskState, isRunning } from './status-block.js';

/** What a look at a peer's block means for our view of the peer. */
export type Transition =
  /** It said that it is about to leave. */
  | 'leaving'
  /** It was up, and is now evicted, shut down or restarted. */
  | 'gone'
  /** Too many heartbeats missed. */
  | 'silent'
  /** Given up, and writing again by itself. */
  | 'undead'
  /** Enough heartbeats seen. */
  | 'up'
  | 'master'
  /** Restarted so quickly that we saw no gap. */
  | 'restarted'
  /** Nothing new: believe what its block says. */
  | 'alive'
  /** Not up, and no reason to think that it is. */
  | 'none';

/**
 * Classifies a peer. The cases are tried in this order, and the first that matches wins.
 *
 * Source: cluster.git cman/qdisk/main.c, `check_transitions`, cases 0 to 6.
 */
export function transitionOf(peer: Peer, tko: number, tkoUp: number): Transition {
  const { state, status } = peer;
  if (state === DiskState.EXIT) return 'leaving';
  if (state >= DiskState.EVICT && status.state <= DiskState.EVICT) return 'gone';
  if (peer.incarnation !== '' && peer.incarnation !== status.incarnation) return 'gone';
  if (peer.misses > tko && isRunning(status.state)) return 'silent';
  if (isUndead(peer)) return 'undead';
  if (peer.seen > tkoUp && !isRunning(state)) return 'up';
  if (state === DiskState.RUN && status.state === DiskState.MASTER) return 'master';
  if (!isRunning(state)) return 'none';
  return peer.incarnation === status.incarnation ? 'alive' : 'restarted';
}

function isUndead({ evilIncarnation, status }: Peer): boolean {
  return evilIncarnation !== '' && evilIncarnation === status.incarnation && status.updateNode === status.nodeId;
}
