import type { Task } from '@quorate/kernel';
import type { Members } from '../cluster/members.js';
import { ACTION_MASTER } from '../cluster/message.js';
import type { DaemonState } from '../manager/daemon-state.js';
import type { InUse } from '../manager/in-use.js';
import type { RemoteRequests } from '../manager/remote-requests.js';
import type { RequestHandlers } from '../manager/request-handlers.js';
import type { ServiceOperations } from '../manager/service-operations.js';
import type { Outcome, ServiceThreads } from '../manager/service-threads.js';
import type { Runtime } from '../runtime/runtime.js';
import { suspend } from '../runtime/suspend.js';
import { isAutostart } from '../state/placement.js';
import type { RecordStore } from '../state/record-store.js';
import { Request, requestText } from '../state/request.js';
import { Result } from '../state/result.js';
import { freshRecord, type ServiceRecord, ServiceState } from '../state/service-record.js';

export interface CallParts {
  readonly runtime: Runtime;
  readonly state: DaemonState;
  readonly members: Members;
  readonly store: RecordStore;
  readonly inUse: InUse;
  readonly operations: ServiceOperations;
  readonly handlers: RequestHandlers;
  readonly remote: RemoteRequests;
  readonly threads: ServiceThreads;
}

/**
 * Has nodes do what the master has decided: they start and stop, and decide nothing.
 *
 * Source: rgmanager src/daemons/service_op.c.
 */
export class ServiceCalls {
  readonly #parts: CallParts;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /**
   * `get_service_state_internal`: the record of a service. One that was never started and does not start by itself is
   * disabled.
   *
   * Differs from rgmanager: it takes a service for stopped whose record it has to ask the others for, so that a master that
   * has just joined starts it a second time. What has just been written is waited for: the node that stopped a service has
   * answered, but its commit may not have come. And a service that is not configured gets no record.
   */
  *record(service: string): Task<ServiceRecord | undefined> {
    const { store, inUse } = this.#parts;
    const { configuration } = inUse;
    if (!configuration.has(service)) return freshRecord(service, ServiceState.UNINITIALIZED);
    const known = (yield* store.readSettled(service)) ?? (yield* store.readLocked(service));
    if (known === undefined || !isFresh(known) || isAutostart(configuration.property(service, 'autostart')))
      return known;
    return yield* this.#disable(service);
  }

  *#disable(service: string): Task<ServiceRecord | undefined> {
    const { store } = this.#parts;
    const lock = yield* store.lock(service);
    if (lock === undefined) return undefined;
    let record = yield* store.read(service);
    if (record !== undefined && isFresh(record)) {
      record = { ...record, state: ServiceState.DISABLED };
      yield* store.write(record);
    }
    yield* store.unlock(lock);
    return record;
  }

  /** `service_op_start`: on the first of these nodes that can. Gives its id, 0 when nobody knows, or a `Result` below 0. */
  *start(service: string, nodes: readonly number[]): Task<number> {
    const { state, store, operations, runtime } = this.#parts;
    const record = yield* this.record(service);
    if (record === undefined || state.isGoingDown) return Result.FAIL;
    if (record.state === ServiceState.FAILED || record.state === ServiceState.UNINITIALIZED) return Result.INVAL;
    const refusals = { failures: 0, exclusive: 0, dependency: 0 };
    for (const node of nodes) {
      const code = yield* this.#startOn(service, node);
      switch (code) {
        case Result.SUCCESS:
          runtime.log('notice', `Service ${service} is now running on member ${node}`);
          return node;
        case Result.RUN:
          return (yield* store.readSettled(service))?.owner ?? 0;
        case Result.EXCL:
          refusals.exclusive += 1;
          break;
        case Result.DEPEND:
          refusals.dependency += 1;
          break;
        case Result.NOSERVICE:
          runtime.log('warning', `Member #${node} has a different configuration than I do; trying next member.`);
          refusals.failures += 1;
          break;
        case Result.FAIL:
        case Result.DEADLCK:
          refusals.failures += 1;
          break;
        case Result.ABORT:
          yield* operations.reportFailure(service);
          return Result.FAIL;
        default:
          return this.#uncertain(service, node, code);
      }
    }
    const { failures, exclusive, dependency } = refusals;
    const counts = `${failures} failures, ${exclusive} exclusive, ${dependency} dependency errors`;
    runtime.log('info', `Start failed; node reports: ${counts}`);
    if (exclusive === nodes.length) return Result.EXCL;
    return dependency === nodes.length ? Result.DEPEND : Result.FAIL;
  }

  #uncertain(service: string, node: number, code: number): number {
    const { runtime } = this.#parts;
    if (code !== Result.NO) {
      runtime.log('err', `#61: Invalid reply from member ${node} during start operation!`);
    }
    const request = requestText(Request.START_REMOTE);
    runtime.log('crit', `State Uncertain: svc:${service} nid:${node} req:${request} ret:${code}`);
    return Result.SUCCESS;
  }

  *#startOn(service: string, node: number): Task<number> {
    const { members, handlers } = this.#parts;
    if (node !== members.here) return yield* handlers.startOn(service, Request.START_REMOTE, node);
    return (yield* this.#here(service, Request.START_REMOTE, node)).code;
  }

  /** `service_op_stop`: a `Result`. */
  *stop(service: string, request: number): Task<number> {
    const { members, operations } = this.#parts;
    const record = yield* this.record(service);
    if (record === undefined) return Result.FAIL;
    // Nobody is there to stop it: it is only marked.
    if (record.owner > 0 && !members.isOnline(record.owner)) return yield* operations.stop(service, Request.STOP);
    return yield* this.#byOwner(record, request, 0);
  }

  /** `service_op_migrate`: a `Result`. */
  *migrate(service: string, target: number): Task<number> {
    const record = yield* this.record(service);
    return record === undefined ? Result.FAIL : yield* this.#byOwner(record, Request.MIGRATE, target);
  }

  /** `service_op_convalesce`: a `Result`. */
  *convalesce(service: string): Task<number> {
    const { members, operations } = this.#parts;
    const record = yield* this.record(service);
    if (record === undefined) return Result.FAIL;
    if (record.owner > 0 && !members.isOnline(record.owner)) return yield* operations.stop(service, Request.STOP);
    return yield* this.#byOwner(record, Request.CONVALESCE, 0);
  }

  /** What nobody owns is this node's to do. */
  *#byOwner({ name: service, owner }: ServiceRecord, request: number, target: number): Task<number> {
    const { state, members, remote } = this.#parts;
    if (state.isGoingDown) return Result.FAIL;
    const isHere = owner <= 0 || owner === members.here || !members.isOnline(owner);
    if (isHere) return (yield* this.#here(service, request, target)).code;
    const asked = { request, target, arg1: ACTION_MASTER, arg2: 0 };
    return (yield* remote.send(owner, service, asked)).code;
  }

  /** The original sends itself a message. */
  *#here(service: string, request: number, target: number): Task<Outcome> {
    const { threads } = this.#parts;
    return yield* suspend<Outcome>((respond) => {
      const isQueued = threads.enqueue(service, { request, target, arg1: ACTION_MASTER, respond });
      if (!isQueued) respond({ code: Result.AGAIN, owner: 0 });
    });
  }
}

function isFresh({ state, transition }: ServiceRecord): boolean {
  return state === ServiceState.STOPPED && transition === 0;
}
