import type { Task } from '@quorate/kernel';
import type { Members } from '../cluster/members.js';
import type { Runtime } from '../runtime/runtime.js';
import { Request } from '../state/request.js';
import { Result } from '../state/result.js';
import type { GroupOperations } from './group-operations.js';
import type { RemoteRequests } from './remote-requests.js';
import type { RequestHandlers } from './request-handlers.js';
import type { ServiceOperations } from './service-operations.js';
import type { Outcome, Perform, ServiceRequest, ServiceThreads } from './service-threads.js';

export interface WorkerParts {
  readonly runtime: Runtime;
  readonly members: Members;
  readonly groups: GroupOperations;
  readonly operations: ServiceOperations;
  readonly handlers: RequestHandlers;
  readonly remote: RemoteRequests;
  /** False while a configuration is being replaced: nothing is checked then. */
  readonly isConfigured: () => boolean;
}

/**
 * What a service's worker does with one request, and its answer. A request that is the owner's to perform is forwarded
 * beside the worker, which goes on with the next.
 *
 * Source: rgmanager src/daemons/rg_thread.c, `resgroup_thread_main`.
 */
export function serviceWorker(parts: WorkerParts): Perform {
  return function* (service, request, threads) {
    const outcome = yield* perform(parts, service, request, threads);
    if (outcome.code === Result.FORWARD) parts.runtime.start(forward(parts, service, request));
    else answer(parts, request, outcome);
    return outcome;
  };
}

function* forward(parts: WorkerParts, service: string, request: ServiceRequest): Task {
  answer(parts, request, yield* parts.remote.forward(service, request));
}

function answer({ members }: WorkerParts, request: ServiceRequest, { code, owner }: Outcome): void {
  request.respond?.({ code, owner: owner === 0 ? members.here : owner });
}

function* perform(
  parts: WorkerParts,
  service: string,
  { request, target, arg1, arg2, isAwaited }: ServiceRequest,
  threads: ServiceThreads,
): Task<Outcome> {
  const { members, groups, operations, handlers } = parts;
  switch (request) {
    case Request.START_REMOTE:
    case Request.START_RECOVER:
      return yield* handlers.startForOther(service, request, arg2, isAwaited);
    case Request.ENABLE:
      if (target !== 0 && target !== members.here) return done(Result.FORWARD);
      return yield* arg1 === 0 ? handlers.start(service, request) : handlers.domainStart(service, request);
    case Request.START:
      if (arg2 !== 0) return yield* handlers.startAt(service, target, arg2);
      return yield* arg1 === 0 ? handlers.start(service, request) : handlers.domainStart(service, request);
    case Request.RELOCATE:
      return yield* handlers.relocate(service, Request.START_REMOTE, target);
    case Request.CONVALESCE:
      return settled(threads, service, yield* operations.convalesce(service));
    case Request.MIGRATE:
      return settled(threads, service, yield* handlers.migrate(service, target));
    case Request.STOP:
    case Request.STOP_USER:
      return settled(threads, service, yield* operations.stop(service, request));
    case Request.DISABLE:
      return settled(threads, service, yield* operations.disable(service));
    case Request.INIT:
      return yield* purged(threads, service, groups.operate(service, 'stop'));
    case Request.STOP_EXITING:
      return yield* purged(threads, service, operations.stop(service, Request.STOP));
    case Request.CONDSTOP:
      return done(yield* groups.operate(service, 'condstop'));
    case Request.CONDSTART:
      // Differs from rgmanager: it asks no more, and starts what is new in a service that has been stopped since it was asked to.
      return done((yield* operations.runsHere(service)) ? yield* groups.operate(service, 'condstart') : Result.SUCCESS);
    case Request.RESTART:
      return yield* restart(parts, service, threads);
    case Request.STATUS:
      return yield* check(parts, service);
    case Request.FREEZE:
    case Request.UNFREEZE:
      return done(yield* operations.freeze(service, request === Request.FREEZE));
    case Request.STATUS_INQUIRY:
      return done(yield* handlers.inquire(service));
    default:
      return done(Result.INVAL);
  }
}

function done(code: number): Outcome {
  return { code, owner: 0 };
}

/** Once that has succeeded, status checks that wait are out of date. */
function settled(threads: ServiceThreads, service: string, code: number): Outcome {
  if (code === Result.SUCCESS) threads.purgeStatusChecks(service);
  return done(code);
}

/** Whoever waits behind it waits in vain. */
function* purged(threads: ServiceThreads, service: string, task: Task<number>): Task<Outcome> {
  const code = yield* task;
  threads.purgeAll(service);
  return done(code);
}

function* restart({ operations, handlers }: WorkerParts, service: string, threads: ServiceThreads): Task<Outcome> {
  const stopped = settled(threads, service, yield* operations.stop(service, Request.STOP_USER));
  return stopped.code === Result.SUCCESS ? yield* handlers.start(service, Request.RESTART) : stopped;
}

function* check({ operations, handlers, isConfigured }: WorkerParts, service: string): Task<Outcome> {
  if (!isConfigured() || (yield* handlers.status(service)) === 0) return done(Result.SUCCESS);
  const stopped = yield* operations.stop(service, Request.STOP_RECOVER);
  return stopped === Result.SUCCESS ? yield* handlers.recover(service) : done(stopped);
}
