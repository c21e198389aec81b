import { atoi } from '../conf/atoi.js';
import { type DomainSituation, nodeScore, Score } from './failover-domain.js';
import { ServiceFlag, type ServiceRecord, ServiceState } from './service-record.js';

/** Whether an `exclusive` attribute means that the service wants its node for itself. */
export function isExclusive(exclusive: string | undefined): boolean {
  return exclusive === 'yes' || atoi(exclusive ?? '') > 0;
}

/** Whether a service starts by itself that was never started. */
export function isAutostart(autostart: string | undefined): boolean {
  return autostart === undefined || (autostart !== 'no' && atoi(autostart) !== 0);
}

/** Services that are started or starting on a node. */
export interface Load {
  readonly services: number;
  readonly exclusive: number;
  /** What they take of the node's capacity. */
  readonly used: number;
}

/** What is weighed about a service wherever it may start. */
export interface ServiceSituation extends DomainSituation {
  readonly record: ServiceRecord;
  readonly autostart: string | undefined;
  readonly isDependencyMissing: boolean;
}

/** What a node weighs when it decides about one service. */
export interface StartSituation extends ServiceSituation {
  readonly here: number;
  readonly load: Load;
  readonly exclusive: string | undefined;
}

export type StartDecision =
  /** Ask for a start here. */
  | 'start'
  /** Not yet started, and not to be started by itself: mark it disabled. */
  | 'disable'
  /** No member of its restricted domain is online: mark it stopped. */
  | 'stop'
  | 'dependency-missing'
  | 'exclusive-and-not-empty'
  | 'exclusive-service-here'
  | 'nothing';

/**
 * Whether this node wants to start the service. Every node with the best score does: who gets the service's lock first
 * has it.
 *
 * Source: rgmanager src/daemons/groups.c, `consider_start`.
 */
export function considerStart(situation: StartSituation): StartDecision {
  const { record, here, load } = situation;
  if (record.state === ServiceState.STARTED && record.owner === here) return 'nothing';
  const refusal = refuseStart(situation);
  if (refusal !== undefined) return refusal;
  if (isExclusive(situation.exclusive) && load.services > 0) return 'exclusive-and-not-empty';
  if (load.exclusive > 0) return 'exclusive-service-here';
  const score = nodeScore(here, situation);
  if (score === Score.BEST) return 'start';
  return score === Score.ILLEGAL && isStranded(situation) ? 'stop' : 'nothing';
}

/** What the coordinator decides. `target`: the best node for the service; 0: there is none. */
export function considerCoordinatedStart(situation: ServiceSituation, target: number): StartDecision {
  const refusal = refuseStart(situation);
  if (refusal !== undefined) return refusal;
  if (target !== 0) return 'start';
  return isStranded(situation) ? 'stop' : 'nothing';
}

/** Why the service starts on no node now. */
function refuseStart({ record, autostart, isDependencyMissing }: ServiceSituation): StartDecision | undefined {
  if ((record.flags & ServiceFlag.FROZEN) !== 0 || record.state === ServiceState.DISABLED) return 'nothing';
  const wasNeverStarted = record.state === ServiceState.STOPPED && record.transition === 0;
  if (wasNeverStarted && !isAutostart(autostart)) return 'disable';
  return isDependencyMissing ? 'dependency-missing' : undefined;
}

function isStranded({ domain, isOnline }: DomainSituation): boolean {
  return domain?.isRestricted === true && !domain.nodes.some(({ nodeId }) => isOnline(nodeId));
}

/**
 * Whether this node, which owns the service, hands it to a node that has just come up.
 *
 * Source: rgmanager src/daemons/groups.c, `consider_relocate`.
 */
export function considerRelocate(
  record: ServiceRecord,
  here: number,
  newcomer: number,
  situation: DomainSituation,
): boolean {
  const isMine = isRunning(record) && record.owner === here;
  return isMine && nodeScore(newcomer, situation) > nodeScore(here, situation);
}

/** Started or about to be. */
export function isRunning({ state }: ServiceRecord): boolean {
  return state === ServiceState.STARTED || state === ServiceState.STARTING;
}

export interface Candidate {
  readonly node: number;
  readonly load: Load;
  /** What is left of its capacity; Infinity if it has none. */
  readonly free: number;
}

/** Orders candidates so that of equals the freest is chosen, then the one with the fewest services, then the lowest id. */
export function lessLoadedLast(a: Candidate, b: Candidate): number {
  const byCapacity = a.free === b.free ? 0 : a.free - b.free;
  return byCapacity || b.load.services - a.load.services || b.node - a.node;
}

/**
 * The best node for a service other than `owner`; `owner` itself when there is none. Of equals the last wins.
 *
 * An exclusive service wants an empty node, and no service goes where an exclusive one runs.
 *
 * Source: rgmanager src/daemons/groups.c, `best_target_node`.
 */
export function bestTargetNode(
  candidates: readonly Candidate[],
  owner: number,
  isServiceExclusive: boolean,
  situation: DomainSituation,
): number {
  let best = owner;
  let highest = 1;
  for (const { node, load } of candidates) {
    if (owner !== 0 && node === owner) continue;
    const legal = nodeScore(node, situation);
    if (isServiceExclusive ? load.services > 0 : load.exclusive > 0) continue;
    const score = legal + (isServiceExclusive ? 2 : 0);
    if (legal === Score.ILLEGAL || score < highest) continue;
    best = node;
    highest = score;
  }
  return best;
}
