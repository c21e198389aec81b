import type { Task } from '@quorate/kernel';
import type { EventCluster } from './event-cluster.js';
import type { RgEvent } from './event-script.js';
import { intersection, subtract } from './node-sets.js';

/** Two services that are to be on different nodes; `leader` follows `follower` where that runs, and it gives way. */
interface Pair {
  readonly event: RgEvent;
  readonly cluster: EventCluster;
  readonly leader: string;
  readonly follower: string;
  /** -1: nobody. */
  readonly leaderOwner: number;
  readonly followerOwner: number;
  /** The one that survives when there is one node for both; undefined: both run there. */
  readonly survivor: string | undefined;
}

/**
 * Keeps two services on different nodes. When the first one fails, or its node, it follows the second to the node where that
 * runs, which is prepared for it (it has the replica of its data, say), and the second goes elsewhere.
 *
 * To be called from an event script, before the default one. `survivor` is the service that runs when there is one node for
 * both; without it both do.
 *
 * Differs from the original: it leaves a service `recovering` when there is no node for it, and stops the second for good
 * when that is the survivor and there is no other node.
 *
 * Source: rgmanager src/resources/follow-service.sl, `follow_service`.
 */
export function* followService(
  event: RgEvent,
  cluster: EventCluster,
  first: string,
  second: string,
  survivor?: string,
): Task {
  const { owner: leaderOwner } = yield* cluster.serviceStatus(first);
  const { owner: followerOwner } = yield* cluster.serviceStatus(second);
  const pair: Pair = { event, cluster, leader: first, follower: second, leaderOwner, followerOwner, survivor };
  if (followerOwner >= 0 && isDown(event, first, leaderOwner)) return yield* leaderIsDown(pair);
  if (leaderOwner >= 0 && isDown(event, second, followerOwner)) return yield* followerIsDown(pair);
  const isTogether = leaderOwner >= 0 && leaderOwner === followerOwner;
  if (isTogether && event.kind === 'service' && event.state === 'started') yield* separate(pair);
}

/** Its node is gone, or it waits for its recovery. */
function isDown(event: RgEvent, service: string, owner: number): boolean {
  if (event.kind === 'node') return !event.isOnline && event.node === owner;
  return event.kind === 'service' && event.service === service && event.state === 'recovering';
}

/** Nodes for the follower where the other is not, and where it has not failed unless there is no other. */
function elsewhere({ event, cluster, follower }: Pair, avoid: number): readonly number[] {
  const { nodes } = cluster.serviceDomainInfo(follower);
  const online = cluster.nodesOnline();
  const others = subtract(nodes.length === 0 ? online : intersection(online, nodes), avoid);
  return others.length > 1 && event.kind === 'service' ? subtract(others, event.lastOwner) : others;
}

function* leaderIsDown(pair: Pair): Task {
  const { event, cluster, leader, follower, followerOwner, survivor } = pair;
  // The default script would recover it where it was.
  if (event.kind === 'service') cluster.stopProcessing();
  const others = elsewhere(pair, followerOwner);
  cluster.debug('follow_service: ', leader, ' follows ', follower, ' to ', followerOwner);
  if (others.length === 0 && survivor === follower) {
    yield* cluster.serviceStop(leader);
    return;
  }
  yield* cluster.serviceStart(leader, followerOwner);
  if (others.length > 0 || survivor === leader) yield* moveFollower(pair, others);
}

function* followerIsDown(pair: Pair): Task {
  const { event, cluster, leader, follower, leaderOwner, survivor } = pair;
  if (event.kind === 'service') cluster.stopProcessing();
  const others = elsewhere(pair, leaderOwner);
  if (others.length > 0 || survivor === leader) return yield* moveFollower(pair, others);
  if (survivor === follower) yield* cluster.serviceStop(leader);
  yield* cluster.serviceStart(follower, leaderOwner);
}

function* separate(pair: Pair): Task {
  const { cluster, leader, leaderOwner, follower, survivor } = pair;
  const others = elsewhere(pair, leaderOwner);
  if (others.length > 0 || survivor === leader) yield* moveFollower(pair, others);
  else if (survivor === follower) yield* cluster.serviceStop(leader);
}

/** Without a node for it, it stays down. */
function* moveFollower({ cluster, follower }: Pair, nodes: readonly number[]): Task {
  cluster.debug('follow_service: ', follower, ' goes to ', nodes);
  yield* cluster.serviceStop(follower);
  if (nodes.length > 0) yield* cluster.serviceStart(follower, nodes);
}
