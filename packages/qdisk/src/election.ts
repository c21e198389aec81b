import type { Peer } from './peer.js';
import { DiskState, isRunning, Message } from './status-block.js';

export interface MasterView {
  /** The master, the one in the lowest slot if there are several; 0 if there is none. */
  readonly master: number;
  readonly masters: number;
  /** Lowest node that is up and no master, ourselves included. */
  readonly lowId: number;
  /** A node whose block says MASTER though it is dead; 0 for none. */
  readonly deadMaster: number;
}

/**
 * Looks for a master among the nodes that are up. We count as master when our own block, read back, says so.
 *
 * Source: cluster.git cman/qdisk/main.c, `master_exists`.
 */
export function masterExists(peers: readonly Peer[], me: number): MasterView {
  let [master, masters, lowId, deadMaster] = [0, 0, me, 0];
  for (const { nodeId, state, status } of peers) {
    const isUp = state >= DiskState.RUN;
    if (status.state === DiskState.MASTER) {
      if (isUp || nodeId === me) {
        if (master === 0) master = nodeId;
        masters += 1;
      } else deadMaster = nodeId;
    } else if (isUp && nodeId < lowId) lowId = nodeId;
  }
  return { master, masters, lowId, deadMaster };
}

/** A vote for a bidder: its id, and the sequence number of its bid. */
export interface Ack {
  readonly bidder: number;
  readonly sequence: number;
}

/**
 * The bid to vote for: the lowest running bidder, if its id is lower than ours.
 *
 * Source: cluster.git cman/qdisk/main.c, `do_vote`.
 */
export function doVote(peers: readonly Peer[], me: number): Ack | undefined {
  for (const { nodeId, state, status } of peers) {
    if (nodeId >= me) return undefined;
    if (state === DiskState.RUN && status.message === Message.BID) return { bidder: nodeId, sequence: status.sequence };
  }
  return undefined;
}

export type Count =
  | { readonly result: 'all-acked' | 'nacked' | 'waiting' }
  /** A lower id bids as well: our bid is over, and this is our vote. */
  | { readonly result: 'lower-bidder'; readonly ack: Ack };

/**
 * Counts the votes for our bid. A node that initialises is counted and cannot vote, so it delays the election.
 *
 * Sequence numbers are not compared: an ACK that a node left standing from an earlier bid of ours counts.
 * Source: cluster.git cman/qdisk/main.c, `check_votes`.
 */
export function checkVotes(peers: readonly Peer[], me: number): Count {
  let [running, acks, nacks] = [0, 0, 0];
  let ack: Ack | undefined;
  for (const { nodeId, state, status } of peers) {
    if (!isRunning(state)) continue;
    running += 1;
    if (status.message === Message.ACK && status.argument === me) acks += 1;
    if (status.message === Message.NACK && status.argument === me) nacks += 1;
    if (status.message === Message.BID && nodeId < (ack?.bidder ?? me))
      ack = { bidder: nodeId, sequence: status.sequence };
  }
  if (acks === running) return { result: 'all-acked' };
  if (nacks > 0) return { result: 'nacked' };
  return ack === undefined ? { result: 'waiting' } : { result: 'lower-bidder', ack };
}
