import type { Task } from '@quorate/kernel';
import { atoi } from '../conf/atoi.js';
import { Result } from '../state/result.js';
import type { EventCluster } from './event-cluster.js';
import type { EventScript, RgEvent } from './event-script.js';
import { intersection, subtract, union } from './node-sets.js';

type ServiceEvent = Extract<RgEvent, { kind: 'service' }>;
type UserEvent = Extract<RgEvent, { kind: 'user' }>;

/**
 * What happens to services when nobody has written a script for it: failover domains, dependencies, exclusive services by
 * their priority, recovery policies and clusvcadm.
 *
 * Source: rgmanager src/resources/default_event_script.sl.
 */
export const defaultEventScript: EventScript = function* defaultEventScript(event, cluster) {
  switch (event.kind) {
    case 'node':
      return yield* nodeEvent(event, cluster);
    case 'service':
      return yield* serviceEvent(event, cluster);
    case 'user':
      cluster.userReturn = yield* userEvent(event, cluster);
  }
};

/** `sortedservices_node_event_handler`: each service, those with the smallest `priority` first. */
function* nodeEvent(event: RgEvent, cluster: EventCluster): Task {
  const priorityOf = (service: string): number => atoi(cluster.serviceProperty(service, 'priority'));
  const services = [...cluster.serviceList()].sort((a, b) => priorityOf(a) - priorityOf(b));
  cluster.debug('sorted_service_list ', services.join(', '));
  for (const service of services) {
    cluster.debug('Executing sortedservices node event handler for service: ', service);
    yield* moveOrStart(event, cluster, service, yield* allowedNodes(cluster, service));
  }
}

/**
 * `allowed_nodes`: nodes that may run a service, the best first: those of its domain, then the others unless it is
 * restricted. The owner comes first when it is not to be moved to a better one.
 */
export function* allowedNodes(cluster: EventCluster, service: string): Task<readonly number[]> {
  const { isNofailback, isRestricted, isOrdered, nodes } = cluster.serviceDomainInfo(service);
  const { owner } = yield* cluster.serviceStatus(service);
  const online = cluster.shuffle(cluster.nodesOnline());
  const inDomain = intersection(nodes, online);
  const allowed = isRestricted ? inDomain : union(inDomain, online);
  const stays = (isNofailback || !isOrdered) && allowed.includes(owner);
  return stays ? union(owner, allowed) : allowed;
}

/** Whether the event says that this node is gone. */
function isLost(event: RgEvent, node: number): boolean {
  return event.kind === 'node' && !event.isOnline && event.node === node;
}

/**
 * `move_or_start`: has a service run on the first of these nodes. Gives the node that it was started on, 0 when nobody
 * knows, or a `Result` below 0.
 */
export function* moveOrStart(
  event: RgEvent,
  cluster: EventCluster,
  service: string,
  nodes: readonly number[],
): Task<number> {
  const depends = cluster.serviceProperty(service, 'depend');
  if (depends !== '') {
    const other = yield* cluster.serviceStatus(depends);
    if (other.owner < 0 || isLost(event, other.owner)) {
      cluster.debug(service, ' is not runnable; dependency not met');
      yield* cluster.serviceStop(service);
      return Result.DEPEND;
    }
  }
  const { owner, state } = yield* cluster.serviceStatus(service);
  cluster.debug('Evaluating ', service, ' state=', state, ' owner=', owner);
  if (isLost(event, owner)) {
    cluster.info('Marking service ', service, ' on down member ', owner, ' as stopped');
    if ((yield* cluster.serviceStop(service)) < 0) return Result.ABORT;
  }
  if (nodes.length === 0) {
    cluster.notice(service, ' is not runnable - restricted domain offline');
    yield* cluster.serviceStop(service);
    return Result.DOMAIN;
  }
  const isDisabled = state === 'disabled' && event.kind !== 'user';
  if (isDisabled || state === 'failed' || state === 'frozen') {
    cluster.debug(service, ' is not runnable');
    return Result.FAIL;
  }
  if (nodes[0] === owner) {
    cluster.debug(service, ' is already running on best node');
    return Result.RUN;
  }
  if (!nodes.includes(owner)) return yield* startExclusively(cluster, service, nodes);
  cluster.notice('Moving ', service, ' from ', owner, ' to ', nodes);
  if ((yield* cluster.serviceStop(service)) < 0) return Result.ABORT;
  cluster.notice('Starting ', service, ' on ', nodes);
  return yield* cluster.serviceStart(service, nodes);
}

/** Number of an exclusive service, the smaller the more important; 0: it is not exclusive. `yes` is 0. */
function exclusiveOf(cluster: EventCluster, service: string): number {
  return atoi(cluster.serviceProperty(service, 'exclusive'));
}

/**
 * `exclusive_prioritize`: an exclusive service wants an empty node; where there is none it takes that of a less important
 * one, which is stopped.
 */
function* startExclusively(cluster: EventCluster, service: string, nodes: readonly number[]): Task<number> {
  const exclusive = exclusiveOf(cluster, service);
  if (exclusive === 0) {
    cluster.notice('Starting ', service, ' on ', nodes);
    return yield* cluster.serviceStart(service, nodes);
  }
  const { empty, withServices, withExclusive } = yield* separateNodes(cluster, nodes);
  cluster.debug('Nodes - Empty: ', empty, ' w/Services: ', withServices, ' w/Excl: ', withExclusive);
  if (empty.length > 0) {
    cluster.notice('Starting ', service, ' on ', empty);
    const started = yield* cluster.serviceStart(service, empty);
    if (started !== Result.FAIL) return started;
  }
  if (withExclusive.length === 0) {
    cluster.notice('No empty / exclusive nodes available; cannot restart ', service);
    return Result.DOMAIN;
  }
  for (const other of cluster.serviceList()) {
    const { owner } = yield* cluster.serviceStatus(other);
    if (other === service || !nodes.includes(owner) || exclusiveOf(cluster, other) <= exclusive) continue;
    cluster.warning('STOPPING service ', other, ' because ', service, ' is a higher priority.');
    yield* cluster.serviceStop(other);
    cluster.notice('Starting ', service, ' on ', owner);
    const started = yield* cluster.serviceStart(service, owner);
    if (started !== Result.FAIL) return started;
  }
  return Result.DOMAIN;
}

interface Nodes {
  readonly empty: readonly number[];
  readonly withServices: readonly number[];
  readonly withExclusive: readonly number[];
}

/** `separate_nodes`: by what runs on them. */
function* separateNodes(cluster: EventCluster, nodes: readonly number[]): Task<Nodes> {
  let found: Nodes = { empty: nodes, withServices: [], withExclusive: [] };
  for (const service of cluster.serviceList()) {
    const { owner } = yield* cluster.serviceStatus(service);
    if (owner < 0) continue;
    const empty = subtract(found.empty, owner);
    found =
      exclusiveOf(cluster, service) === 0
        ? { ...found, empty, withServices: union(found.withServices, owner) }
        : { ...found, empty, withExclusive: union(found.withExclusive, owner) };
  }
  return found;
}

/** `default_service_event_handler`: a service that recovers, those that depend on it, and those that it has made room for. */
function* serviceEvent(event: ServiceEvent, cluster: EventCluster): Task {
  cluster.debug('Executing default service event handler');
  const isRecovery = event.state === 'recovering';
  if (isRecovery && (yield* recover(event, cluster)) === 'given-up') return;
  for (const service of cluster.serviceList()) {
    if (service === event.service || cluster.serviceProperty(service, 'depend') !== event.service) continue;
    yield* followDependency(event, cluster, service);
  }
  if (isRecovery) return;
  for (const service of cluster.serviceList()) {
    if (service !== event.service) yield* restartExclusive(event, cluster, service);
  }
}

/** By its recovery policy: where it was, or elsewhere; `given-up` when it stays down. */
function* recover(event: ServiceEvent, cluster: EventCluster): Task<'recovered' | 'given-up'> {
  const { service, lastOwner, restartsExceeded } = event;
  const policy = cluster.serviceProperty(service, 'recovery');
  cluster.debug('Recovering Service: ', service, ' Last owner: ', lastOwner, ' Policy: ', policy);
  if (policy === 'disable') {
    yield* cluster.serviceStop(service, true);
    return 'given-up';
  }
  let nodes = yield* allowedNodes(cluster, service);
  if (policy === 'restart' && !restartsExceeded) {
    nodes = union(lastOwner, nodes);
  } else {
    const others = subtract(nodes, lastOwner);
    if (others.length === 0) {
      yield* cluster.serviceStop(service);
      return 'given-up';
    }
    nodes = union(others, lastOwner);
  }
  yield* moveOrStart(event, cluster, service, nodes);
  return 'recovered';
}

/** A service depends on the one that has changed. */
function* followDependency(event: ServiceEvent, cluster: EventCluster, service: string): Task {
  const { owner, state, transition } = yield* cluster.serviceStatus(service);
  if (event.state === 'started' && owner < 0 && state === 'stopped') {
    cluster.info('Dependency met; starting ', service);
    yield* moveOrStart(event, cluster, service, yield* allowedNodes(cluster, service));
    return;
  }
  const isSoft = cluster.serviceProperty(service, 'depend_mode') === 'soft';
  if (event.owner >= 0 || owner < 0 || isSoft) return;
  // It may be there again by now, and the service started after it: then it needs no restart.
  const now = yield* cluster.serviceStatus(event.service);
  if (now.state === 'started' && state === 'started' && transition >= now.transition) {
    cluster.debug('Skipping ', service, '; restart not needed');
    return;
  }
  cluster.info('Dependency lost; stopping ', service);
  yield* cluster.serviceStop(service);
}

/**
 * A less important exclusive service may have been stopped to make room. Compatible: so `clusvcadm -s` cannot stop it,
 * only `-d`.
 */
function* restartExclusive(event: ServiceEvent, cluster: EventCluster, service: string): Task {
  const exclusive = exclusiveOf(cluster, service);
  if (exclusive === 0 || exclusive === 1) return;
  const { state } = yield* cluster.serviceStatus(service);
  if (state !== 'stopped') return;
  cluster.info('Restarting stopped exclusive priority ', exclusive, ' service ', service);
  yield* moveOrStart(event, cluster, service, yield* allowedNodes(cluster, service));
}

/** `default_user_event_handler`: gives the answer. */
function* userEvent(event: UserEvent, cluster: EventCluster): Task<number> {
  const { service, request, target } = event;
  switch (request) {
    case 'restart':
      return yield* restart(event, cluster);
    case 'relocate':
    case 'enable':
      return yield* relocateOrEnable(event, cluster);
    case 'disable':
      return yield* cluster.serviceStop(service, true);
    case 'stop':
      return yield* cluster.serviceStop(service);
    case 'freeze':
      return yield* cluster.serviceFreeze(service);
    case 'unfreeze':
      return yield* cluster.serviceUnfreeze(service);
    case 'migrate':
      return yield* cluster.serviceMigrate(service, target);
    case 'convalesce':
      return yield* cluster.serviceConvalesce(service);
  }
}

function* restart(event: UserEvent, cluster: EventCluster): Task<number> {
  const { service } = event;
  const allowed = yield* allowedNodes(cluster, service);
  const { owner } = yield* cluster.serviceStatus(service);
  const nodes = owner >= 0 ? union(owner, allowed) : allowed;
  cluster.notice('Stopping ', service, ' for relocate to ', nodes);
  if ((yield* cluster.serviceStop(service)) < 0) return Result.ABORT;
  return yield* moveOrStart(event, cluster, service, nodes);
}

function* relocateOrEnable(event: UserEvent, cluster: EventCluster): Task<number> {
  const { service, request, target } = event;
  let nodes = yield* allowedNodes(cluster, service);
  const { owner } = yield* cluster.serviceStatus(service);
  if (target > 0 && nodes.includes(target)) nodes = union(target, nodes);
  else if (target > 0) cluster.warning('User specified node ', target, ' is offline');
  if (owner >= 0 && request === 'relocate') {
    if ((yield* cluster.serviceStop(service)) < 0) return Result.ABORT;
    // It comes back to where it was only when nobody else can have it.
    nodes = union(subtract(nodes, owner), owner);
  }
  return yield* moveOrStart(event, cluster, service, nodes);
}
