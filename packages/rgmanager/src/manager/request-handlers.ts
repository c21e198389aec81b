import { type Prng, SECOND, sleep, type Task } from '@quorate/kernel';
import type { Members } from '../cluster/members.js';
import { Mutex } from '../runtime/mutex.js';
import type { Runtime } from '../runtime/runtime.js';
import { Score } from '../state/failover-domain.js';
import type { RecordStore } from '../state/record-store.js';
import { Request, requestText } from '../state/request.js';
import { Result } from '../state/result.js';
import { freshRecord, ServiceFlag, type ServiceRecord, ServiceState } from '../state/service-record.js';
import { WalkResult } from '../tree/tree-operation.js';
import type { DaemonState } from './daemon-state.js';
import type { DomainPlacement } from './domain-placement.js';
import type { GroupOperations } from './group-operations.js';
import type { InUse } from './in-use.js';
import type { RemoteRequests } from './remote-requests.js';
import type { ServiceOperations } from './service-operations.js';
import type { Outcome } from './service-threads.js';

export interface HandlerParts {
  readonly runtime: Runtime;
  readonly state: DaemonState;
  readonly members: Members;
  readonly store: RecordStore;
  readonly groups: GroupOperations;
  readonly inUse: InUse;
  readonly placement: DomainPlacement;
  readonly operations: ServiceOperations;
  readonly remote: RemoteRequests;
  readonly prng: Prng;
}

/** A node whose configuration lacks the service gets that many tries, that far apart. */
const NOSERVICE_TRIES = 5;
const NOSERVICE_PAUSE = 3 * SECOND;

function outcome(code: number, owner = 0): Outcome {
  return { code, owner };
}

/**
 * How requests are served that may involve more than one node: starting, relocating, recovering.
 *
 * Source: rgmanager src/daemons/rg_state.c, `handle_start_req` and its siblings.
 */
export class RequestHandlers {
  readonly #parts: HandlerParts;
  /** Held from the check for exclusive services until the start is over, so that two starts cannot pass it together. */
  readonly #exclusiveMutex = new Mutex();

  constructor(parts: HandlerParts) {
    this.#parts = parts;
  }

  /** `handle_start_req`: here, or wherever it can be started if that fails. */
  *start(service: string, request: number): Task<Outcome> {
    const { members, inUse, operations, remote, runtime } = this.#parts;
    const elsewhere = yield* remote.findRunning(service);
    if (elsewhere !== undefined && (yield* operations.setRunningOn(service, elsewhere))) {
      return outcome(Result.SUCCESS, elsewhere);
    }
    if (members.isStandby) return yield* this.#startElsewhere(service, request);
    if (!(yield* this.#suitsDomain(service, request, members.eligible))) return outcome(Result.FAIL);
    const needsCheck = inUse.configuration.hasExclusive;
    if (needsCheck) yield* this.#exclusiveMutex.lock();
    const started = yield* this.#startHere(service, request);
    if (needsCheck) this.#exclusiveMutex.unlock();
    if (typeof started !== 'string') return outcome(started, members.here);
    if (started === 'failed') {
      runtime.log('debug', `Stopping failed service ${service}`);
      if ((yield* operations.stop(service, Request.STOP_RECOVER)) !== 0) {
        runtime.log('crit', `#13: Service ${service} failed to stop cleanly`);
        yield* operations.fail(service);
        return outcome(Result.ABORT);
      }
      runtime.log('warning', `#71: Relocating failed service ${service}`);
    }
    return yield* this.#relocateFailed(service);
  }

  /** This node is in standby. What a user wants started, or recovery, goes to another. */
  *#startElsewhere(service: string, request: number): Task<Outcome> {
    if (request === Request.START) return outcome(Result.FAIL);
    if (request === Request.ENABLE) return yield* this.domainStart(service, request);
    return yield* this.#relocateFailed(service);
  }

  *#relocateFailed(service: string): Task<Outcome> {
    const relocated = yield* this.relocate(service, Request.START_RECOVER, 0);
    if (relocated.code === Result.FAIL) yield* this.#stopOrFail(service);
    return relocated;
  }

  *#suitsDomain(service: string, request: number, online: readonly number[]): Task<boolean> {
    if (request === Request.RESTART || request === Request.START_RECOVER) return true;
    const least = request === Request.ENABLE ? Score.GOOD : Score.BEST;
    return (yield* this.#parts.placement.score(service, this.#parts.members.here, online)) >= least;
  }

  /** `failed`: it was started in vain. `conflict`: it may not run on this node now. */
  *#startHere(service: string, request: number): Task<number | 'failed' | 'conflict'> {
    const { members, placement, operations, runtime } = this.#parts;
    if (placement.hasExclusiveConflict(service, members.here)) return 'conflict';
    if (placement.isDependencyMissing(service)) {
      if (request === Request.START_RECOVER) {
        runtime.log('info', `Dependency for ${service} missing during recovery; marking as stopped`);
        yield* operations.finishStop(service, false, ServiceState.STOPPED);
      }
      return Result.DEPEND;
    }
    const code = yield* operations.start(service, request);
    const isFinal = code === Result.SUCCESS || code === Result.AGAIN || code === Result.RUN || code === Result.FROZEN;
    return isFinal ? code : 'failed';
  }

  /**
   * Another node asks for a start, and goes on if it fails.
   *
   * Differs from rgmanager: if that node is gone by then, this one goes on in its place. The original leaves the service
   * `recovering` for ever.
   */
  *startForOther(service: string, request: number, score: number, isAwaited: () => boolean): Task<Outcome> {
    const { store, runtime } = this.#parts;
    const code = yield* this.startRemote(service, request, score);
    if (code !== Result.FAIL || isAwaited()) return outcome(code);
    const record = yield* store.readLocked(service);
    if (record?.state !== ServiceState.RECOVER) return outcome(code);
    runtime.log('warning', `#71: Relocating failed service ${service}`);
    return yield* this.#relocateFailed(service);
  }

  /**
   * `handle_start_remote_req`: another node asks; this one judges as if it were alone. `score`: a coordinator asks, which
   * found that among all.
   */
  *startRemote(service: string, request: number, score = 0): Task<number> {
    const { state, members, inUse, placement, operations } = this.#parts;
    // A coordinator that has come after a user's lock does not know of it.
    if (state.isLocked) return score > 0 ? Result.AGAIN : Result.FAIL;
    const least = request === Request.ENABLE ? Score.GOOD : Score.BEST;
    if (members.isStandby) return Result.FAIL;
    if ((yield* placement.score(service, members.here, [members.here])) < least) return Result.FAIL;
    if (score > 0 && (yield* placement.score(service, members.here, members.eligible)) < score) return Result.FAIL;
    const needsCheck = inUse.configuration.hasExclusive;
    if (needsCheck) yield* this.#exclusiveMutex.lock();
    const hasConflict = placement.hasExclusiveConflict(service, members.here);
    const code = hasConflict ? Result.EXCL : yield* operations.start(service, request);
    if (needsCheck) this.#exclusiveMutex.unlock();
    if (hasConflict || code === Result.SUCCESS || code === Result.RUN || code === Result.FROZEN) return code;
    // The master goes on, and not this node: it is not left to recovery.
    const stop = state.isCentral ? Request.STOP : Request.STOP_RECOVER;
    if ((yield* operations.stop(service, stop)) === 0) return Result.FAIL;
    yield* operations.fail(service);
    return Result.ABORT;
  }

  /**
   * `handle_relocate_req`: stops the service unless that was done (START_RECOVER), and starts it on another node. 0: no
   * node is preferred.
   */
  *relocate(service: string, asked: number, target: number): Task<Outcome> {
    const { members, placement } = this.#parts;
    const known = this.#parts.store.readLocal(service)?.state ?? ServiceState.UNINITIALIZED;
    if (known === ServiceState.DISABLED || known === ServiceState.UNINITIALIZED) return outcome(Result.INVAL);
    const preferred = target > 0 && members.isEligible(target) ? target : 0;
    if (preferred > 0 && placement.hasExclusiveConflict(service, preferred)) return outcome(Result.DEPEND);
    if (asked !== Request.START_RECOVER) {
      const refusal = yield* this.#stopForRelocation(service, asked);
      if (refusal !== undefined) return outcome(refusal);
    }
    let request = asked;
    if (preferred > 0) {
      const tried = yield* this.#tryPreferred(service, request, preferred);
      if (typeof tried === 'object') return tried;
      if (tried === 'nobody' && !members.isStandby) return yield* this.#exhausted(service);
      if (preferred !== members.here) request = Request.START_RECOVER;
    }
    const moved = yield* this.#tryOthers(service, request, preferred);
    if (typeof moved === 'object') return moved;
    if (moved === 'none-left' && asked === Request.START_RECOVER) {
      yield* this.#parts.operations.finishStop(service, false, ServiceState.STOPPED);
      return outcome(Result.FAIL);
    }
    return yield* this.#exhausted(service);
  }

  *#stopForRelocation(service: string, request: number): Task<number | undefined> {
    const { operations } = this.#parts;
    const code = yield* operations.stopTo(service, request, ServiceState.STOPPED);
    if (code === Result.FROZEN || code === Result.FORWARD) return code;
    if (code !== Result.FAIL) return undefined;
    yield* operations.fail(service);
    return Result.ABORT;
  }

  /** `nobody`: only this node may run it. `failed`: others may be tried. */
  *#tryPreferred(service: string, request: number, preferred: number): Task<Outcome | 'nobody' | 'failed'> {
    const { members, placement, operations, remote } = this.#parts;
    const { here } = members;
    const allowed = members.eligible.filter((node) => node === here || node === preferred);
    const best = yield* placement.bestTarget(service, here, allowed);
    if (best === here && preferred !== here) return 'nobody';
    const code =
      best === here
        ? yield* operations.start(service, Request.START)
        : yield* remote.start(service, request, preferred);
    return code === Result.SUCCESS ? outcome(Result.SUCCESS, preferred) : 'failed';
  }

  /** `none-left`: all were tried. `nobody`: those that are left may not run it. */
  *#tryOthers(service: string, asked: number, preferred: number): Task<Outcome | 'none-left' | 'nobody'> {
    const { members, placement } = this.#parts;
    let allowed = this.#shuffled(members.eligible).filter((node) => node !== members.here && node !== preferred);
    let request = asked;
    while (allowed.length > 0) {
      const node = yield* placement.bestTarget(service, members.here, allowed);
      if (node === members.here) return 'nobody';
      const moved = yield* this.#tryOther(service, request, node);
      if (moved !== 'failed') return moved;
      // It may have been started there: the next one takes it over from recovery.
      request = Request.START_RECOVER;
      allowed = allowed.filter((each) => each !== node);
    }
    return 'none-left';
  }

  *#tryOther(service: string, request: number, node: number): Task<Outcome | 'failed'> {
    const { operations, runtime, store } = this.#parts;
    const code = yield* this.startOn(service, request, node);
    switch (code) {
      case Result.SUCCESS:
        runtime.log('notice', `Service ${service} is now running on member ${node}`);
        return outcome(Result.SUCCESS, node);
      case Result.RUN:
        return outcome(Result.SUCCESS, store.readLocal(service)?.owner ?? 0);
      case Result.NOSERVICE:
        runtime.log('warning', `Member #${node} has a different configuration than I do; trying next member.`);
        return 'failed';
      case Result.DEPEND:
      case Result.FAIL:
      case Result.DEADLCK:
        return 'failed';
      case Result.ABORT:
        yield* operations.reportFailure(service);
        return outcome(Result.FAIL);
      default:
        if (code !== Result.NO) {
          runtime.log('err', `#61: Invalid reply from member ${node} during relocate operation!`);
        }
        runtime.log('crit', `State Uncertain: svc:${service} nid:${node} req:${requestText(request)} ret:${code}`);
        return outcome(Result.SUCCESS);
    }
  }

  /** Asks a node to start a service; gives its answer. One that does not know the service may be about to get the configuration. */
  *startOn(service: string, request: number, node: number): Task<number> {
    let code: number = Result.NOSERVICE;
    for (let tries = 1; tries <= NOSERVICE_TRIES && code === Result.NOSERVICE; tries++) {
      if (tries > 1) yield* sleep(NOSERVICE_PAUSE);
      code = yield* this.#parts.remote.start(service, request, node);
    }
    return code;
  }

  *#exhausted(service: string): Task<Outcome> {
    const { state, members, operations, runtime } = this.#parts;
    if (!state.isLocked && !members.isStandby) {
      runtime.log('warning', `#70: Failed to relocate ${service}; restarting locally`);
      if ((yield* operations.start(service, Request.START_RECOVER)) === Result.SUCCESS) {
        return outcome(Result.RELO, members.here);
      }
    }
    yield* this.#stopOrFail(service);
    return outcome(Result.FAIL);
  }

  *#stopOrFail(service: string): Task {
    const { operations } = this.#parts;
    if ((yield* operations.stop(service, Request.STOP)) === 0) return;
    yield* operations.fail(service);
    yield* operations.reportFailure(service);
  }

  /** `handle_recover_req`: the service was stopped because a check of it failed. */
  *recover(service: string): Task<Outcome> {
    const { state, inUse, operations, runtime } = this.#parts;
    // The master has heard of it.
    if (state.isCentral) return outcome(Result.SUCCESS);
    const policy = (inUse.configuration.property(service, 'recovery') ?? 'restart').toLowerCase();
    const counter = inUse.configuration.root(service)?.restartCounter;
    const isExceeded = counter?.isExceeded(runtime.seconds) ?? false;
    if (policy === 'disable' || policy === 'relocate' || isExceeded) counter?.clear();
    if (policy === 'disable') return outcome(yield* operations.disable(service));
    if (policy === 'relocate') return yield* this.relocate(service, Request.START_RECOVER, 0);
    if (isExceeded && policy.includes('disable')) {
      runtime.log('notice', `Restart threshold for ${service} exceeded; disabling`);
      return outcome(yield* operations.disable(service));
    }
    if (isExceeded) {
      runtime.log('notice', `Restart threshold for ${service} exceeded; attempting to relocate`);
      return yield* this.relocate(service, Request.START_RECOVER, 0);
    }
    counter?.add(runtime.seconds);
    return yield* this.start(service, Request.START_RECOVER);
  }

  /** `handle_fd_start_req`: on the best node of all, then on the next best. */
  *domainStart(service: string, request: number): Task<Outcome> {
    const { members, placement, operations, remote, runtime } = this.#parts;
    const elsewhere = yield* remote.findRunning(service);
    if (elsewhere !== undefined && (yield* operations.setRunningOn(service, elsewhere))) {
      return outcome(Result.SUCCESS, elsewhere);
    }
    let allowed = members.eligible;
    while (allowed.length > 0) {
      const node = yield* placement.bestTarget(service, 0, allowed);
      if (node === 0) return outcome(Result.FAIL);
      const isEnable = request === Request.ENABLE;
      const code =
        node === members.here
          ? yield* this.startRemote(service, isEnable ? Request.START_RECOVER : request)
          : yield* remote.start(service, isEnable ? Request.START_RECOVER : Request.START_REMOTE, node);
      if (code === Result.SUCCESS) return outcome(Result.SUCCESS, node);
      if (code === Result.RUN || code === Result.AGAIN) return outcome(code);
      if (code === Result.ABORT) {
        yield* operations.reportFailure(service);
        return outcome(Result.FAIL);
      }
      if (code !== Result.FAIL) {
        runtime.log('err', `#6X: Invalid reply [${code}] from member ${node} during relocate operation!`);
      }
      // Differs from rgmanager: after an invalid reply it would ask the same node for ever.
      allowed = allowed.filter((each) => each !== node);
    }
    return outcome(Result.FAIL);
  }

  /**
   * A coordinator's decision: a stopped service is to start on a node; on the next best if that fails.
   *
   * A node that knows by then of a better one, which the coordinator did not, refuses: the score tells.
   */
  *startAt(service: string, planned: number, score: number): Task<Outcome> {
    const { members, placement, operations, remote, store } = this.#parts;
    const { state } = store.readLocal(service) ?? freshRecord(service, ServiceState.STOPPED);
    if (state === ServiceState.DISABLED || state === ServiceState.FAILED) return outcome(Result.FAIL);
    const tried: number[] = [];
    let node = planned;
    let least = score;
    let request: number = Request.START_REMOTE;
    while (node !== 0) {
      const code =
        node === members.here
          ? yield* this.startRemote(service, request, least)
          : yield* remote.start(service, request, node, least);
      if (code === Result.SUCCESS) return outcome(code, node);
      if (code === Result.RUN || code === Result.FROZEN) return outcome(code);
      if (code === Result.ABORT) {
        yield* operations.reportFailure(service);
        return outcome(Result.FAIL);
      }
      if (code === Result.AGAIN) break;
      tried.push(node);
      const left = members.eligible.filter((each) => !tried.includes(each));
      node = yield* placement.bestTarget(service, 0, left);
      least = node === 0 ? 0 : yield* placement.score(service, node, members.eligible);
      request = Request.START_RECOVER;
    }
    yield* operations.finishStop(service, false, ServiceState.STOPPED);
    return outcome(Result.FAIL);
  }

  /** `svc_migrate`. */
  *migrate(service: string, target: number): Task<number> {
    const { members, inUse, placement, operations } = this.#parts;
    if (!inUse.configuration.isMigratory(service)) return Result.INVAL;
    if (!members.nodes.some(({ id }) => id === target)) return Result.INVAL;
    if (!members.isOnline(target)) return Result.NODE;
    if ((yield* placement.score(service, target, members.eligible)) === Score.ILLEGAL) return Result.DEPEND;
    if (placement.hasExclusiveConflict(service, target)) return Result.DEPEND;
    return yield* operations.migrate(service, target);
  }

  /** `svc_status`: 0 if the service is well, or not this node's to check. */
  *status(service: string): Task<number> {
    const { members, groups, operations, store, runtime } = this.#parts;
    const record = yield* store.readLocked(service);
    if (record === undefined) return Result.FAIL;
    if ((record.flags & ServiceFlag.FROZEN) !== 0 || record.owner !== members.here) return Result.SUCCESS;
    if (record.state === ServiceState.MIGRATE) {
      if ((yield* groups.operate(service, 'status-inquiry')) !== 0) return Result.SUCCESS;
      yield* operations.rewrite({ ...record, state: ServiceState.STARTED });
      runtime.log('notice', `${service} is now running locally`);
      return Result.SUCCESS;
    }
    if (record.state !== ServiceState.STARTED) return Result.SUCCESS;
    return yield* this.#startedStatus(record, yield* groups.operate(service, 'status'));
  }

  *#startedStatus(record: ServiceRecord, result: number): Task<number> {
    const { operations, remote } = this.#parts;
    const service = record.name;
    if ((result & WalkResult.FAILURE) !== 0) {
      const elsewhere = yield* remote.findRunning(service);
      if (elsewhere === undefined) return result;
      return (yield* operations.setRunningOn(service, elsewhere)) ? Result.SUCCESS : result;
    }
    if ((result & WalkResult.RECOVERABLE) === 0) return result;
    const recovered = yield* this.#recoverInline(service, result);
    if ((recovered & WalkResult.PARTIAL) === 0) return recovered;
    yield* operations.rewrite({ ...record, flags: record.flags | ServiceFlag.PARTIAL });
    return recovered & ~WalkResult.PARTIAL;
  }

  /** Stops and starts what failed in independent subtrees; 0 or PARTIAL if that was possible. */
  *#recoverInline(service: string, result: number): Task<number> {
    const { groups, runtime } = this.#parts;
    runtime.log('warning', `Some independent resources in ${service} failed; Attempting inline recovery`);
    const stopped = yield* groups.operate(service, 'condstop');
    const isPartial = ((result | stopped) & WalkResult.PARTIAL) !== 0;
    if ((stopped & WalkResult.FAILURE) !== 0) {
      runtime.log('warning', `Inline recovery of ${service} failed`);
      return isPartial ? result | WalkResult.PARTIAL : result;
    }
    yield* groups.operate(service, 'condstart');
    runtime.log('notice', `Inline recovery of ${service} complete`);
    if (!isPartial) return Result.SUCCESS;
    runtime.log('notice', 'Note: Some non-critical resources were stopped during recovery.');
    runtime.log('notice', `Run 'clusvcadm -c ${service}' to restore them to operation.`);
    return WalkResult.PARTIAL;
  }

  /** `svc_status_inquiry`: another node asks whether a service runs here. */
  *inquire(service: string): Task<number> {
    const { store, groups, runtime } = this.#parts;
    const record = store.readLocal(service);
    if (record === undefined) {
      runtime.log('err', `Failed getting local status for RG ${service}`);
      return Result.FAIL;
    }
    if ((record.flags & ServiceFlag.FROZEN) !== 0) return Result.SUCCESS;
    return yield* groups.operate(service, 'status-inquiry');
  }

  #shuffled(nodes: readonly number[]): number[] {
    const shuffled = [...nodes];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.#parts.prng.below(i + 1);
      const swapped = shuffled[i]!;
      shuffled[i] = shuffled[j]!;
      shuffled[j] = swapped;
    }
    return shuffled;
  }
}
