import type { Task } from '@quorate/kernel';
import type { Members } from '../cluster/members.js';
import type { RgFact } from '../fact.js';
import type { Runtime } from '../runtime/runtime.js';
import { nodeScore } from '../state/failover-domain.js';
import {
  considerCoordinatedStart,
  considerRelocate,
  considerStart,
  isRunning,
  type Load,
  type ServiceSituation,
  type StartDecision,
} from '../state/placement.js';
import type { RecordStore } from '../state/record-store.js';
import { Request } from '../state/request.js';
import { Result } from '../state/result.js';
import { ServiceFlag, type ServiceRecord, ServiceState, stateText } from '../state/service-record.js';
import type { DaemonState } from './daemon-state.js';
import { type DomainPlacement, NO_LOAD } from './domain-placement.js';
import type { InUse } from './in-use.js';
import type { ServiceOperations } from './service-operations.js';
import type { Respond, ServiceThreads } from './service-threads.js';

export interface EvaluationParts {
  readonly runtime: Runtime;
  readonly state: DaemonState;
  readonly members: Members;
  readonly store: RecordStore;
  readonly inUse: InUse;
  readonly placement: DomainPlacement;
  readonly operations: ServiceOperations;
  readonly threads: ServiceThreads;
  /** Forget what was being recovered when a node dies, as the original does. */
  readonly recoversAsOriginal: boolean;
}

export interface NodeEventDetails {
  /** It is this one, which has just stopped all services without a look at the records. */
  readonly runsNothing?: boolean;
  /** It said that it would leave. */
  readonly isClean?: boolean;
}

type Decision = Extract<RgFact, { kind: 'rg.evaluated' }>['decision'];

/** Owned by a node that is gone, a service in one of these is stopped. */
const ORPHANED: readonly number[] = [
  ServiceState.STARTED,
  ServiceState.RECOVER,
  ServiceState.STARTING,
  ServiceState.STOPPING,
  // Differs from rgmanager: it forgets a service that its owner was stopping for recovery when it died.
  ServiceState.ERROR,
];

/** A node that has gone, or that has stopped all services without a look at the records. */
interface Leaver {
  readonly node: number;
  /** It is this one, or has not gone. */
  readonly isAlive: boolean;
  /** It is alive, or said that it would leave, or nodes are not fenced for failed stops. */
  readonly isUnfenced: boolean;
}

/**
 * Whether nobody looks after the service any more. `isBack`: the leaver had gone, and is a member again by now.
 *
 * Differs from rgmanager: a service that waits for its recovery has no owner, so the original leaves it so for ever when
 * the node that was about to recover it dies. If that node lives, the recovery finds the service started. And what a
 * node owned in an earlier life is not left to it in this one, when its death went unnoticed because services were locked.
 * Who is back disowns that itself, and may have started the service since: the original takes it away from him when it is late.
 */
function isOrphan({ state, owner }: ServiceRecord, { node, isAlive, isUnfenced }: Leaver, isBack: boolean): boolean {
  // It could not be stopped there: only fencing has ended it.
  if (state === ServiceState.FAILED) return owner === node && !isUnfenced;
  if (state === ServiceState.RECOVER && owner === 0) return !isAlive;
  return owner === node && !isBack && ORPHANED.includes(state);
}

function isBeingRecovered({ state, owner }: ServiceRecord): boolean {
  return state === ServiceState.ERROR || (state === ServiceState.RECOVER && owner === 0);
}

/** Left alone whatever happens to nodes. */
const SETTLED: readonly number[] = [ServiceState.DISABLED, ServiceState.FAILED, ServiceState.RECOVER];

/**
 * What a node does about services when a node comes or goes, or when another service changes. Every node decides for
 * itself; the service's lock settles who is first.
 *
 * Source: rgmanager src/daemons/groups.c, `eval_groups`, `group_event`.
 */
export class Evaluation {
  readonly #parts: EvaluationParts;
  /** The node that came, if that is why services are looked at; otherwise 0. */
  #newcomer = 0;
  /** Where this node has services started: the records do not say so yet. */
  readonly #planned = new Map<string, number>();
  /** Services of those that would have been looked at again meanwhile. */
  readonly #overtaken = new Set<string>();
  /** Services for which the coordinator found no node. */
  readonly #homeless = new Set<string>();
  /** Services that this node, in standby, is handing over. */
  readonly #leaving = new Set<string>();

  constructor(parts: EvaluationParts) {
    this.#parts = parts;
  }

  /** A node is up or down. */
  *nodeEvent(node: number, isUp: boolean, about: NodeEventDetails = {}): Task {
    const { runsNothing = false, isClean = false } = about;
    const { runtime, members, inUse, placement } = this.#parts;
    const isLocal = node === members.here;
    if (this.#isLocked()) {
      if (isUp) runtime.observe?.({ kind: 'rg.unevaluated', now: runtime.now, newcomer: node });
      return;
    }
    this.#newcomer = isUp ? node : 0;
    const loads = yield* placement.loads(this.#planned);
    const isUnfenced = isUp || isClean || !inUse.policy.fencesFailedStops;
    const leaver = isUp && !runsNothing ? undefined : { node, isAlive: isUp, isUnfenced };
    for (const service of inUse.configuration.services) {
      const record = yield* this.#claim(service, leaver);
      if (record === undefined) continue;
      if (SETTLED.includes(record.state)) {
        this.#observe(record, 'nothing');
        continue;
      }
      this.#logEvaluation(record);
      const isStart = record.state === ServiceState.STOPPED || isUp === isLocal;
      if (isStart) yield* this.#considerStart(record, loads);
      // For placement it is not here, and whoever comes is better than nobody: that need not be the best there is.
      else if (members.isStandby) yield* this.#handOver(record);
      else this.#considerRelocate(record, node);
    }
    runtime.log('debug', `Event (${isLocal ? 1 : 0}:${node}:${isUp ? 1 : 0}) Processed`);
  }

  /**
   * A member is in standby. It hands its services over, and the others look at what is stopped, as at its death.
   *
   * Frozen services stay, and so does everything while services are locked.
   */
  *standby(node: number): Task {
    const { members, inUse, placement, store } = this.#parts;
    if (this.#isLocked()) return;
    this.#newcomer = 0;
    const loads = yield* placement.loads(this.#planned);
    for (const service of inUse.configuration.services) {
      const record = yield* store.readLocked(service);
      if (record === undefined) continue;
      if (node === members.here) yield* this.#handOver(record);
      else if (record.state === ServiceState.STOPPED) yield* this.#considerStart(record, loads);
    }
  }

  *#handOver(record: ServiceRecord): Task {
    const { members, inUse, placement, threads, runtime } = this.#parts;
    const { name: service, owner, flags } = record;
    const isStaying = (flags & ServiceFlag.FROZEN) !== 0 || this.#leaving.has(service);
    if (!members.isStandby || owner !== members.here || !isRunning(record) || isStaying) return;
    const target = yield* placement.bestTarget(service, members.here, members.eligible);
    const isMigration = inUse.configuration.isMigratory(service) && target !== members.here;
    runtime.log('notice', `${isMigration ? 'Migrating' : 'Relocating'} ${service}: this node is in standby`);
    this.#observe(record, isMigration ? 'migrate' : 'relocate', target === members.here ? 0 : target);
    this.#leaving.add(service);
    const left = (): void => {
      this.#leaving.delete(service);
    };
    const relocate = (): void => {
      if (!threads.enqueue(service, { request: Request.RELOCATE, respond: left })) left();
    };
    if (!isMigration) return relocate();
    const moved: Respond = ({ code }) => (code === Result.SUCCESS ? left() : relocate());
    if (!threads.enqueue(service, { request: Request.MIGRATE, target, respond: moved })) left();
  }

  /** This node has just stopped all services: what records say it runs is stopped. */
  *disown(): Task {
    const { members, inUse, store } = this.#parts;
    const here = { node: members.here, isAlive: true, isUnfenced: true };
    for (const service of inUse.configuration.services) {
      const record = store.readLocal(service);
      if (record === undefined || record.owner === members.here) yield* this.#claim(service, here);
    }
  }

  /** Another service has got into another state: services that depend on it follow. */
  *serviceEvent(state: number): Task {
    const { runtime, members, placement, inUse, store, threads } = this.#parts;
    if (this.#isLocked()) return;
    // What a stopped service leaves is its own while it is being moved.
    if (state === ServiceState.DISABLED) yield* this.#lookAtHomeless();
    const { dependents } = inUse.configuration;
    if (dependents.length === 0) return;
    this.#newcomer = 0;
    const loads = yield* placement.loads(this.#planned);
    for (const service of dependents) {
      const record = store.readLocal(service);
      if (record === undefined || SETTLED.includes(record.state)) continue;
      const isMissing = placement.isDependencyMissing(service);
      if (!isMissing && record.state === ServiceState.STOPPED && state === ServiceState.STARTED) {
        this.#logEvaluation(record);
        yield* this.#considerStart(record, loads);
      } else if (isMissing && record.state === ServiceState.STARTED && record.owner === members.here) {
        runtime.log('warning', `Stopping service ${service}: Dependency missing`);
        threads.enqueue(service, { request: Request.STOP, target: members.here });
        this.#observe(record, 'stop');
      }
    }
  }

  #isLocked(): boolean {
    const { runtime, state } = this.#parts;
    if (state.isLocked) runtime.log('debug', 'Resource groups locked; not evaluating');
    return state.isLocked;
  }

  /** The record of a service; what the leaver owned is marked stopped before. Undefined when that fails. */
  *#claim(service: string, leaver?: Leaver): Task<ServiceRecord | undefined> {
    const { runtime, store, operations } = this.#parts;
    const lock = yield* store.lock(service);
    if (lock === undefined) return undefined;
    const record = yield* store.read(service);
    if (record === undefined) runtime.log('err', `#34: Cannot get status for service ${service}`);
    const isLost = record !== undefined && leaver !== undefined && this.#isLost(record, leaver);
    if (!isLost) {
      yield* store.unlock(lock);
      return record;
    }
    runtime.log('debug', `Marking ${service} on down member ${leaver.node} as stopped`);
    const stopped: ServiceRecord = {
      ...record,
      owner: 0,
      lastOwner: record.owner === 0 ? record.lastOwner : record.owner,
      state: ServiceState.STOPPED,
      transition: runtime.wallSeconds,
      // A service stays frozen whoever dies.
      flags: record.flags & ServiceFlag.FROZEN,
    };
    const isWritten = yield* store.write(stopped);
    if (!isWritten) {
      runtime.log('err', `Failed to update state of ${service} during recovery; cannot fail over`);
    }
    yield* store.unlock(lock);
    if (!isWritten) return undefined;
    operations.broadcastEvent(stopped, -1);
    return stopped;
  }

  #isLost(record: ServiceRecord, leaver: Leaver): boolean {
    const { members, operations, recoversAsOriginal } = this.#parts;
    const { node, isAlive } = leaver;
    // Another node may have had it started here before this one has come to look at it.
    const isBegun = isAlive && operations.hasBegun(record.name);
    if (recoversAsOriginal && isBeingRecovered(record)) return false;
    return !isBegun && isOrphan(record, leaver, !isAlive && members.isOnline(node));
  }

  *#considerStart(record: ServiceRecord, loads: Map<number, Load>): Task {
    const { members, placement, inUse } = this.#parts;
    const service = record.name;
    const situation: ServiceSituation = {
      ...placement.situationOf(service, record, members.eligible),
      record,
      autostart: inUse.configuration.property(service, 'autostart'),
      isDependencyMissing: placement.isDependencyMissing(service),
    };
    if (inUse.policy.hasCoordinator) return yield* this.#coordinate(situation, loads);
    const { here } = members;
    const exclusive = inUse.configuration.property(service, 'exclusive');
    const decision = considerStart({ ...situation, here, load: loads.get(here) ?? NO_LOAD, exclusive });
    yield* this.#carryOut(record, decision, here);
  }

  /** Only the lowest of all members decides, and for all of them. */
  *#coordinate(situation: ServiceSituation, loads: Map<number, Load>): Task {
    const { members, placement } = this.#parts;
    const { record } = situation;
    const service = record.name;
    if (members.here !== Math.min(...members.online)) return this.#observe(record, 'nothing');
    if (this.#planned.has(service)) {
      this.#overtaken.add(service);
      return this.#observe(record, 'nothing');
    }
    if (members.isOnline(record.owner)) return this.#observe(record, 'nothing');
    const target = placement.choose(service, 0, members.eligible, loads, situation);
    const decision = considerCoordinatedStart(situation, target);
    if (target === 0 && decision === 'nothing' && record.state === ServiceState.STOPPED) this.#noteHomeless(service);
    if (decision === 'start') {
      placement.plan(loads, service, target);
      this.#homeless.delete(service);
    }
    yield* this.#carryOut(record, decision, target, nodeScore(target, situation));
  }

  #noteHomeless(service: string): void {
    const { inUse, runtime } = this.#parts;
    if (inUse.policy.capacities.size === 0 || this.#homeless.has(service)) return;
    this.#homeless.add(service);
    runtime.log('notice', `No node has room for ${service}`);
  }

  /** There may be room now for what has found none. */
  *#lookAtHomeless(): Task {
    for (const service of [...this.#homeless]) yield* this.#lookAgain(service);
  }

  /** The start that was asked for is over. */
  *#lookAgain(service: string): Task {
    const { inUse, placement, store } = this.#parts;
    if (!inUse.policy.hasCoordinator || this.#isLocked() || !inUse.configuration.has(service)) return;
    const loads = yield* placement.loads(this.#planned);
    const record = yield* store.readLocked(service);
    if (record?.state === ServiceState.STOPPED) yield* this.#considerStart(record, loads);
  }

  /** `score`: what the coordinator gives the target; otherwise 0. */
  *#carryOut(record: ServiceRecord, decision: StartDecision, target: number, score = 0): Task {
    const { threads, runtime } = this.#parts;
    const service = record.name;
    this.#observe(record, decision, decision === 'start' ? target : 0);
    if (decision === 'disable') return yield* this.#disable(service);
    if (decision === 'start') {
      this.#planned.set(service, target);
      const respond = (): void => {
        this.#planned.delete(service);
        if (this.#overtaken.delete(service)) runtime.start(this.#lookAgain(service));
      };
      if (!threads.enqueue(service, { request: Request.START, target, arg2: score, respond })) respond();
    }
    if (decision === 'stop') {
      runtime.log('notice', `Marking ${service} as stopped: Restricted domain unavailable`);
      threads.enqueue(service, { request: Request.STOP });
    }
    const reason = SKIP_REASONS.get(decision);
    if (reason !== undefined) runtime.log('debug', `Skipping RG ${service}: ${reason}`);
  }

  /** A service that is not to start by itself is disabled when it is looked at for the first time. */
  *#disable(service: string): Task {
    const { store } = this.#parts;
    const lock = yield* store.lock(service);
    if (lock === undefined) return;
    const record = yield* store.read(service);
    if (record?.transition === 0 && record.state === ServiceState.STOPPED) {
      yield* store.write({ ...record, state: ServiceState.DISABLED });
    }
    yield* store.unlock(lock);
  }

  #considerRelocate(record: ServiceRecord, newcomer: number): void {
    const { members, placement, inUse, threads, runtime } = this.#parts;
    const service = record.name;
    const situation = placement.situationOf(service, record, members.eligible);
    if (!considerRelocate(record, members.here, newcomer, situation)) return this.#observe(record, 'nothing');
    const isMigration = inUse.configuration.isMigratory(service);
    const verb = isMigration ? 'Migrating' : 'Relocating';
    runtime.log('notice', `${verb} ${service} to better node ${members.nameOf(newcomer)}`);
    this.#observe(record, isMigration ? 'migrate' : 'relocate', newcomer);
    threads.enqueue(service, { request: isMigration ? Request.MIGRATE : Request.RELOCATE, target: newcomer });
  }

  #logEvaluation({ name, state, owner }: ServiceRecord): void {
    const { runtime, members } = this.#parts;
    const ownerName = owner === 0 ? 'none' : members.nameOf(owner);
    runtime.log('debug', `Evaluating RG ${name}, state ${stateText(state)}, owner ${ownerName}`);
  }

  #observe({ name: service, state, owner }: ServiceRecord, decision: Decision, target = 0): void {
    const { runtime } = this.#parts;
    const newcomer = this.#newcomer;
    runtime.observe?.({ kind: 'rg.evaluated', now: runtime.now, newcomer, service, state, owner, decision, target });
  }
}

const SKIP_REASONS: ReadonlyMap<StartDecision, string> = new Map([
  ['dependency-missing', 'Dependency missing'],
  ['exclusive-and-not-empty', 'Exclusive and I am running services'],
  ['exclusive-service-here', 'I am running an exclusive service'],
]);
