import type { Task } from '@quorate/kernel';
import type { Channels } from '../cluster/channels.js';
import type { HeldLock } from '../cluster/locks.js';
import type { Members } from '../cluster/members.js';
import type { Runtime } from '../runtime/runtime.js';
import { adviseStart, adviseStop, ownerPlace, type StartReason } from '../state/advice.js';
import { isRunning } from '../state/placement.js';
import type { RecordStore } from '../state/record-store.js';
import { Request, requestText } from '../state/request.js';
import { Result } from '../state/result.js';
import { ServiceFlag, type ServiceRecord, ServiceState, stateText } from '../state/service-record.js';
import type { DaemonState } from './daemon-state.js';
import type { GroupOperations } from './group-operations.js';
import type { InUse } from './in-use.js';

export interface OperationParts {
  readonly runtime: Runtime;
  readonly state: DaemonState;
  readonly members: Members;
  readonly channels: Channels;
  readonly store: RecordStore;
  readonly groups: GroupOperations;
  readonly inUse: InUse;
}

/** Owner in an event of a service that nobody owns now. */
const NOBODY = -1;

/** A record read under its lock, which is still held. */
interface Locked {
  readonly lock: HeldLock;
  readonly record: ServiceRecord;
}

/**
 * What a node does to a service and its record: each step takes the service's lock, reads the record, decides, writes.
 *
 * Source: rgmanager src/daemons/rg_state.c.
 */
export class ServiceOperations {
  readonly #runtime: Runtime;
  readonly #state: DaemonState;
  readonly #members: Members;
  readonly #channels: Channels;
  readonly #store: RecordStore;
  readonly #groups: GroupOperations;
  readonly #inUse: InUse;
  readonly #startsWhatIsBeingStopped: boolean;
  /** Services whose start has begun here since all of them were stopped. */
  readonly #begun = new Set<string>();

  constructor(parts: OperationParts, startsWhatIsBeingStopped: boolean) {
    this.#runtime = parts.runtime;
    this.#state = parts.state;
    this.#members = parts.members;
    this.#channels = parts.channels;
    this.#store = parts.store;
    this.#groups = parts.groups;
    this.#inUse = parts.inUse;
    this.#startsWhatIsBeingStopped = startsWhatIsBeingStopped;
  }

  /** Whether its start has begun here since all services were stopped. */
  hasBegun(service: string): boolean {
    return this.#begun.has(service);
  }

  /** All services were stopped here without a look at the records. */
  allStopped(): void {
    this.#begun.clear();
  }

  /** Whether its record says that it runs here, or is being started, when no write is under way any more. */
  *runsHere(service: string): Task<boolean> {
    const record = yield* this.#store.readSettled(service);
    return record?.owner === this.#members.here && isRunning(record);
  }

  /** A service runs here already. */
  *resume(service: string): Task {
    this.#begun.add(service);
    yield* this.#groups.resume(service);
  }

  /** Tells everybody that a service has got into another state. */
  broadcastEvent({ name, state, lastOwner }: ServiceRecord, owner: number): void {
    this.#channels.broadcast({ kind: 'event', service: name, state, owner, lastOwner });
  }

  /** `svc_start`. A start that fails is written as started all the same: stopping it is the next step. */
  *start(service: string, request: number): Task<number> {
    const locked = yield* this.#readLocked(service);
    if (locked === undefined) return Result.FAIL;
    const reason = this.#mayStart(locked.record, request);
    if (typeof reason === 'number') return yield* this.#unlocked(locked, reason);
    this.#begun.add(service);
    const starting = this.#startingRecord(locked.record, reason);
    const isWritten = yield* this.#writeAndUnlock(locked.lock, starting, '#47: Failed changing service status');
    if (!isWritten) return Result.FAIL;
    // Those who voted on the record have told before who is in standby.
    if (this.#members.isStandby) {
      yield* this.rewrite(locked.record);
      return Result.FAIL;
    }
    const isFailed = (yield* this.#groups.operate(service, 'start')) !== 0;
    return yield* this.#finishStart({ ...starting, state: ServiceState.STARTED }, isFailed);
  }

  /** A result when it may not be started here and now. */
  #mayStart(record: ServiceRecord, request: number): StartReason | number {
    const service = record.name;
    // A master's start is a recovery, too.
    const isRecovery = this.#state.isCentral && record.state === ServiceState.RECOVER;
    const asked = isRecovery ? Request.START_RECOVER : request;
    const advice = adviseStart(record, asked, this.#placeOf(record), this.#startsWhatIsBeingStopped);
    switch (advice.kind) {
      case 'frozen':
        this.#runtime.log('debug', `Service ${service} frozen.`);
        return Result.FROZEN;
      case 'running':
        return Result.RUN;
      case 'ignore':
        this.#runtime.log('debug', `Not starting ${service}: recovery state`);
        return Result.SUCCESS;
      case 'refuse':
        if (record.state === ServiceState.FAILED) {
          this.#runtime.log('err', `#43: Service ${service} has failed; can not start.`);
        } else {
          this.#runtime.log('debug', `Not starting disabled RG ${service}`);
        }
        return Result.FAIL;
      case 'start':
        return this.#mayStartFor(record, advice.reason);
    }
  }

  /** Recovery goes on while services are locked. */
  #mayStartFor({ name, owner }: ServiceRecord, reason: StartReason): StartReason | number {
    // Looked at under the service's lock: what was started before is seen by whoever clears this node.
    if (this.#members.isStandby) return Result.FAIL;
    const isRecovery = reason === 'recover' || reason === 'disabled-recover';
    if (this.#state.isLocked && !isRecovery) {
      if (reason === 'take-over') {
        this.#runtime.log('warning', `Not initiating failover of ${name}: Resource groups locked!`);
      }
      return Result.AGAIN;
    }
    const ownerName = this.#members.nameOf(owner);
    if (reason === 'stopped') this.#runtime.log('notice', `Starting stopped service ${name}`);
    if (reason === 'disabled') this.#runtime.log('notice', `Starting disabled service ${name}`);
    if (reason === 'recover') this.#runtime.log('notice', `Recovering failed service ${name}`);
    if (reason === 'take-over') {
      this.#runtime.log('notice', `Taking over service ${name} from down member ${ownerName}`);
    }
    return reason;
  }

  #startingRecord(record: ServiceRecord, reason: StartReason): ServiceRecord {
    return {
      ...record,
      owner: this.#members.here,
      lastOwner: reason === 'take-over' ? record.owner : record.lastOwner,
      state: ServiceState.STARTING,
      restarts: record.state === ServiceState.RECOVER ? record.restarts + 1 : 0,
      transition: this.#runtime.wallSeconds,
    };
  }

  *#finishStart(started: ServiceRecord, isFailed: boolean): Task<number> {
    const service = started.name;
    const lock = yield* this.#store.lock(service);
    if (lock === undefined) return Result.FAIL;
    const isWritten = yield* this.#writeAndUnlock(lock, started, '#75: Failed changing service status');
    if (!isWritten) return Result.FAIL;
    if (isFailed) {
      this.#runtime.log('warning', `#68: Failed to start ${service}; return value: 1`);
      return Result.FAIL;
    }
    this.#runtime.log('notice', `Service ${service} started`);
    this.broadcastEvent(started, started.owner);
    return Result.SUCCESS;
  }

  /** `svc_stop`: to recover it with STOP_RECOVER, otherwise to leave it stopped. */
  *stop(service: string, request: number): Task<number> {
    return yield* this.stopTo(service, request, ServiceState.STOPPED);
  }

  /** `svc_disable`. */
  *disable(service: string): Task<number> {
    return yield* this.stopTo(service, Request.DISABLE, ServiceState.DISABLED);
  }

  /** `_svc_stop`: stops a service and leaves it in that state, or recovering after STOP_RECOVER. */
  *stopTo(service: string, request: number, newState: number): Task<number> {
    if (!this.#state.isQuorate) {
      this.#runtime.log('warning', `#69: Unclean ${requestText(request)} of ${service}`);
      return yield* this.#groups.operate(service, 'stop');
    }
    const locked = yield* this.#readLocked(service);
    if (locked === undefined) return Result.FAIL;
    const refusal = yield* this.#refuseStop(locked, request);
    if (refusal !== undefined) return refusal;
    const old = locked.record;
    const isRecovery = request === Request.STOP_RECOVER;
    if (!(yield* this.#writeStopping(locked, newState, isRecovery))) return Result.FAIL;
    const isFailed = (yield* this.#groups.operate(service, 'stop')) !== 0;
    const wasDown = old.state === ServiceState.FAILED || old.state === ServiceState.DISABLED;
    if (!wasDown || newState !== ServiceState.DISABLED) {
      yield* this.finishStop(service, isFailed, newState, old.owner);
      return isFailed ? Result.FAIL : Result.SUCCESS;
    }
    if (isFailed) {
      const text = `Marking ${service} as 'disabled', but some resources may still be allocated!`;
      this.#runtime.log('alert', text);
    }
    yield* this.finishStop(service, false, newState, old.owner);
    return isFailed ? Result.WARNING : Result.SUCCESS;
  }

  /** The result when there is nothing to stop here; the lock is released then. */
  *#refuseStop(locked: Locked, request: number): Task<number | undefined> {
    const { name: service, state, owner } = locked.record;
    switch (adviseStop(locked.record, request, this.#placeOf(locked.record))) {
      case 'stop':
        if (state === ServiceState.DISABLED || state === ServiceState.UNINITIALIZED) {
          this.#runtime.log('notice', `Disabling disabled service ${service}`);
        }
        return undefined;
      case 'ignore':
        return yield* this.#unlocked(locked, Result.SUCCESS);
      case 'forward':
        this.#runtime.log('debug', `Forwarding req. to ${this.#members.nameOf(owner)}.`);
        return yield* this.#unlocked(locked, Result.FORWARD);
      case 'frozen':
        this.#runtime.log('debug', `Service ${service} frozen.`);
        return yield* this.#unlocked(locked, Result.FROZEN);
      case 'mark-stopped':
        return yield* this.#markStopped(locked);
      case 'refuse':
        yield* this.#store.unlock(locked.lock);
        this.#runtime.log('debug', `Unable to stop RG ${service} in ${stateText(state)} state`);
        return Result.FAIL;
    }
  }

  /** Its owner is gone, so there is nothing that could be stopped. */
  *#markStopped({ lock, record }: Locked): Task<number> {
    const stopped = { ...record, lastOwner: record.owner, owner: 0, state: ServiceState.STOPPED, flags: 0 };
    if (!(yield* this.#writeAndUnlock(lock, stopped))) return Result.FAIL;
    this.broadcastEvent(stopped, NOBODY);
    return Result.SUCCESS;
  }

  *#writeStopping({ lock, record }: Locked, newState: number, isRecovery: boolean): Task<boolean> {
    const service = record.name;
    const complaint = '#52: Failed changing RG status';
    let old = record;
    if (old.state === ServiceState.RECOVER) {
      // Compatible: the line says so, and its agents' stop runs all the same.
      this.#runtime.log('debug', `${service} is clean; skipping double-stop`);
      old = { ...old, state: newState, flags: 0 };
      if (!(yield* this.#store.write(old))) {
        yield* this.#store.unlock(lock);
        this.#runtime.log('err', complaint);
        return false;
      }
    }
    this.#runtime.log('notice', `Stopping service ${service}`);
    const state = isRecovery ? ServiceState.ERROR : ServiceState.STOPPING;
    const stopping = { ...old, state, transition: this.#runtime.wallSeconds };
    return yield* this.#writeAndUnlock(lock, stopping, complaint);
  }

  /**
   * `_svc_stop_finish`: writes how a stop ended, unless the record says that there was none. `owner`: whose the service
   * was when it began.
   */
  *finishStop(service: string, isFailed: boolean, newState: number, owner = 0): Task {
    const locked = yield* this.#readLocked(service);
    if (locked === undefined) return;
    const { lock, record } = locked;
    const stopping: readonly number[] = [ServiceState.STOPPING, ServiceState.ERROR, ServiceState.RECOVER];
    // Differs from rgmanager: what is stopped a second time has no owner, so another node may start it meanwhile. If that
    // one stops it, too, the original calls it stopped before it is, and it runs twice.
    const isAnothers = ![0, owner, this.#members.here].includes(record.owner);
    if (isAnothers || !stopping.includes(record.state)) return yield* this.#store.unlock(lock);
    if (isFailed && this.#isFencedFor(record)) return yield* this.#awaitFencing({ lock, record });
    let state = newState;
    if (isFailed) {
      this.#runtime.log('crit', `#12: RG ${service} failed to stop; intervention required`);
      state = ServiceState.FAILED;
    } else if (record.state === ServiceState.ERROR) {
      state = ServiceState.RECOVER;
    }
    this.#runtime.log('notice', `Service ${service} is ${stateText(state)}`);
    const stopped = this.#ownerless({ ...record, state, flags: record.flags & ServiceFlag.FROZEN });
    if (yield* this.#writeAndUnlock(lock, stopped, '#55: Failed changing RG status')) {
      this.broadcastEvent(stopped, NOBODY);
    }
  }

  /** Whether another node is there that has this one fenced. */
  #isFencedFor({ owner }: ServiceRecord): boolean {
    const { here, online } = this.#members;
    const hasOthers = online.some((node) => node !== here);
    return this.#inUse.policy.fencesFailedStops && hasOthers && !this.#state.isGoingDown && owner === here;
  }

  /** A failed service that has an owner waits for its fencing. */
  *#awaitFencing({ lock, record }: Locked): Task {
    const { name, owner } = record;
    this.#runtime.log('crit', `#12: RG ${name} failed to stop; ${this.#members.nameOf(owner)} is to be fenced`);
    const failed = { ...record, state: ServiceState.FAILED, transition: this.#runtime.wallSeconds };
    if (yield* this.#writeAndUnlock(lock, failed, '#55: Failed changing RG status')) {
      this.broadcastEvent(failed, owner);
    }
  }

  /** `svc_fail`: nothing but a disable helps it from now on. */
  *fail(service: string): Task<number> {
    const locked = yield* this.#readLocked(service);
    if (locked === undefined) return Result.FAIL;
    const { lock, record } = locked;
    this.#runtime.log('debug', `Handling failure request for RG ${service}`);
    // This node is about to be fenced for it.
    if (this.#inUse.policy.fencesFailedStops && record.state === ServiceState.FAILED && record.owner !== 0)
      return yield* this.#unlocked(locked, Result.SUCCESS);
    if (record.state === ServiceState.STARTED && record.owner !== this.#members.here) {
      this.#runtime.log('debug', `Unable to disable RG ${service} in ${stateText(record.state)} state`);
      return yield* this.#unlocked(locked, Result.FAIL);
    }
    const failed = this.#ownerless({ ...record, state: ServiceState.FAILED, restarts: 0 });
    if (!(yield* this.#writeAndUnlock(lock, failed, '#57: Failed changing RG status'))) return Result.FAIL;
    this.broadcastEvent(failed, NOBODY);
    return Result.SUCCESS;
  }

  /** `svc_report_failure`. */
  *reportFailure(service: string): Task {
    const record = yield* this.#store.readLocked(service);
    if (record === undefined) return;
    const { nodes } = this.#members;
    const lastOwner = nodes.find(({ id }) => id === record.lastOwner)?.name;
    const [number, whose] = lastOwner === undefined ? [3, record.lastOwner] : [2, lastOwner];
    this.#runtime.log('alert', `#${number}: Service ${service} returned failure code.  Last Owner: ${whose}`);
    this.#runtime.log('alert', '#4: Administrator intervention required.');
  }

  /** `svc_freeze`, `svc_unfreeze`: any node may do it. */
  *freeze(service: string, isFrozen: boolean): Task<number> {
    const locked = yield* this.#readLocked(service);
    if (locked === undefined) return Result.FAIL;
    const { lock, record } = locked;
    const verb = isFrozen ? 'freeze' : 'unfreeze';
    this.#runtime.log('debug', `Handling ${verb} request for RG ${service}`);
    const settled: readonly number[] = [ServiceState.STOPPED, ServiceState.STARTED, ServiceState.DISABLED];
    if (!settled.includes(record.state)) return yield* this.#unlocked(locked, Result.AGAIN);
    this.#runtime.log('debug', `${isFrozen ? 'Freezing' : 'Unfreezing'} RG ${service}`);
    const flags = isFrozen ? record.flags | ServiceFlag.FROZEN : record.flags & ~ServiceFlag.FROZEN;
    const isWritten = yield* this.#writeAndUnlock(lock, { ...record, flags }, '#57: Failed changing RG status');
    return isWritten ? Result.SUCCESS : Result.FAIL;
  }

  /** `svc_convalesce`: starts again what was given up. */
  *convalesce(service: string): Task<number> {
    const locked = yield* this.#readLocked(service);
    if (locked === undefined) return Result.FAIL;
    const { record } = locked;
    const refusal = this.#refuseConvalesce(record);
    yield* this.#store.unlock(locked.lock);
    if (refusal !== undefined) return refusal;
    this.#runtime.log('info', `Repairing ${service}`);
    if ((yield* this.#groups.operate(service, 'convalesce')) !== 0) {
      this.#runtime.log('warning', `Failed to repair ${service}`);
      return Result.FAIL;
    }
    this.#runtime.log('info', `Repair of ${service} was successful`);
    yield* this.rewrite({ ...record, flags: record.flags & ~ServiceFlag.PARTIAL });
    return Result.SUCCESS;
  }

  #refuseConvalesce({ state, flags, owner }: ServiceRecord): number | undefined {
    if (state !== ServiceState.STARTED) return isBusy(state) ? Result.AGAIN : Result.INVAL;
    if ((flags & ServiceFlag.FROZEN) !== 0) return Result.FROZEN;
    if (owner !== this.#members.here) return Result.FORWARD;
    return (flags & ServiceFlag.PARTIAL) !== 0 ? undefined : Result.RUN;
  }

  /** The part of `svc_migrate` that needs the record; whether the target may have the service was checked before. */
  *migrate(service: string, target: number): Task<number> {
    const locked = yield* this.#readLocked(service);
    if (locked === undefined) return Result.FAIL;
    const { record } = locked;
    const refusal = this.#refuseMigration(record, target);
    yield* this.#store.unlock(locked.lock);
    if (refusal !== undefined) return refusal;
    const status = yield* this.#groups.migrate(service, this.#members.nameOf(target));
    switch (status) {
      case 0:
        yield* this.rewrite({ ...record, lastOwner: record.owner, owner: target, state: ServiceState.STARTED });
        return Result.SUCCESS;
      case MigrationExit.NOT_RUNNING:
        return Result.FAIL;
      case MigrationExit.NOT_CONFIGURED:
        return Result.INVAL;
      case MigrationExit.STILL_HERE:
        return Result.RELO;
      default:
        yield* this.fail(service);
        return Result.FAIL;
    }
  }

  #refuseMigration({ state, flags, owner }: ServiceRecord, target: number): number | undefined {
    if (owner === target) return Result.SUCCESS;
    if (owner !== this.#members.here) return Result.FORWARD;
    if (state !== ServiceState.STARTED) return isBusy(state) ? Result.AGAIN : Result.FAIL;
    return (flags & ServiceFlag.FROZEN) !== 0 ? Result.FROZEN : undefined;
  }

  /** It was found running on another node: the record says so from now on. */
  *setRunningOn(service: string, owner: number): Task<boolean> {
    const locked = yield* this.#readLocked(service);
    if (locked === undefined) return false;
    const found = { ...locked.record, state: ServiceState.STARTED, owner };
    return yield* this.#writeAndUnlock(locked.lock, found, `#453: Failed setting status for RG ${service}`);
  }

  /** Writes a record that was read a while ago and cannot have changed since. */
  *rewrite(record: ServiceRecord): Task<boolean> {
    const lock = yield* this.#store.lock(record.name);
    return lock !== undefined && (yield* this.#writeAndUnlock(lock, record));
  }

  #placeOf({ owner }: ServiceRecord): ReturnType<typeof ownerPlace> {
    return ownerPlace(owner, this.#members.here, (node) => this.#members.isOnline(node));
  }

  #ownerless(record: ServiceRecord): ServiceRecord {
    const lastOwner = record.owner === 0 ? record.lastOwner : record.owner;
    return { ...record, lastOwner, owner: 0, transition: this.#runtime.wallSeconds };
  }

  *#readLocked(service: string): Task<Locked | undefined> {
    const lock = yield* this.#store.lock(service);
    if (lock === undefined) return undefined;
    const record = yield* this.#store.read(service);
    if (record !== undefined) return { lock, record };
    yield* this.#store.unlock(lock);
    this.#runtime.log('err', `#46: Failed getting status for RG ${service}`);
    return undefined;
  }

  *#unlocked({ lock }: Locked, result: number): Task<number> {
    yield* this.#store.unlock(lock);
    return result;
  }

  *#writeAndUnlock(lock: HeldLock, record: ServiceRecord, complaint?: string): Task<boolean> {
    const isWritten = yield* this.#store.write(record);
    if (!isWritten && complaint !== undefined) this.#runtime.log('err', complaint);
    yield* this.#store.unlock(lock);
    return isWritten;
  }
}

/** Exit codes of an agent's `migrate` that mean more than failure. */
const MigrationExit = { NOT_CONFIGURED: 6, NOT_RUNNING: 7, STILL_HERE: 150 } as const;

const BUSY: readonly number[] = [
  ServiceState.STARTING,
  ServiceState.STOPPING,
  ServiceState.RECOVER,
  ServiceState.MIGRATE,
  ServiceState.ERROR,
];

/** In a state that it will leave by itself. */
function isBusy(state: number): boolean {
  return BUSY.includes(state);
}
