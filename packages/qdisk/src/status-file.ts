import { formatCtime } from '@quorate/kernel';
import { isInMask } from './node-mask.js';
import type { Peer } from './peer.js';
import { DiskState, stateName } from './status-block.js';

/** What the status file tells, beside the peers. */
export interface LocalStatus {
  /** Seconds since 1970. */
  readonly wall: number;
  readonly nodeId: number;
  readonly score: number;
  readonly scoreMax: number;
  readonly scoreRequired: number;
  readonly state: DiskState;
  /** 0 for none. */
  readonly master: number;
}

/**
 * Text of `quorumd/@status_file`, rewritten every cycle.
 *
 * Source: cluster.git cman/qdisk/main.c, `update_local_status`, without the dump that its debug mode appends.
 */
export function statusFileText(status: LocalStatus, peers: readonly Peer[]): string {
  const { nodeId, master } = status;
  const initializing = peers.filter((peer) => peer.status.state === DiskState.INIT && peer.seen > 0);
  const visible = peers.filter((peer) => peer.state >= DiskState.RUN || peer.nodeId === nodeId);
  const lines = [
    `Time Stamp: ${formatCtime(status.wall)}`,
    `Node ID: ${nodeId}`,
    `Score: ${status.score}/${status.scoreMax} (Minimum required = ${status.scoreRequired})`,
    `Current state: ${stateName(status.state)}`,
    `Initializing Set: ${nodeSet(initializing)}`,
    `Visible Set: ${nodeSet(visible)}`,
  ];
  if (status.state !== DiskState.INIT) {
    lines.push(`Master Node ID: ${master === 0 ? '(none)' : master}`);
    const granted = peers[master - 1]?.status.masterMask;
    if (granted !== undefined) {
      lines.push(`Quorate Set: ${nodeSet(peers.filter((peer) => isInMask(granted, peer.nodeId)))}`);
    }
  }
  return `${lines.join('\n')}\n\n`;
}

function nodeSet(peers: readonly Peer[]): string {
  return `{ ${peers.map((peer) => `${peer.nodeId} `).join('')}}`;
}
