import type { Task } from '@quorate/kernel';
import type { Members } from '../cluster/members.js';
import type { Runtime } from '../runtime/runtime.js';
import { isAutostart } from '../state/placement.js';
import type { RecordStore } from '../state/record-store.js';
import { Request } from '../state/request.js';
import { ServiceState } from '../state/service-record.js';
import { copyIncarnations, resourceDelta, treeDelta } from '../tree/delta.js';
import type { ResourceNode } from '../tree/resource-node.js';
import type { Configuration } from './configuration.js';
import type { InUse } from './in-use.js';
import type { ServiceOperations } from './service-operations.js';
import type { ServiceThreads } from './service-threads.js';

export interface ReconfigurationParts {
  readonly runtime: Runtime;
  readonly members: Members;
  readonly store: RecordStore;
  readonly inUse: InUse;
  readonly operations: ServiceOperations;
  readonly threads: ServiceThreads;
  /** Whether all services have been stopped since it began: nothing may be changed any more. */
  readonly isOvertaken: () => boolean;
}

/**
 * Goes over from one configuration to the next: what is gone or changed is stopped, the new one is taken into use, and
 * what is new or changed is started. Unchanged resources never notice.
 *
 * Source: rgmanager src/daemons/groups.c, `do_condstops`, `do_condstarts`.
 */
export function* reconfigure(parts: ReconfigurationParts, next: Configuration): Task<boolean> {
  const { runtime, inUse, isOvertaken, threads } = parts;
  const old = inUse.configuration;
  // Differs from rgmanager: a check that is under way takes from what it finds well the mark that it is to be stopped.
  yield* threads.idle();
  if (isOvertaken()) return false;
  resourceDelta(old.resources, next.resources);
  treeDelta(old.roots, next.roots);
  yield* stopChanged(parts, old);
  if (isOvertaken()) return false;
  copyIncarnations(old.resources, next.resources);
  inUse.configuration = next;
  runtime.log('info', 'Restarting changed resources.');
  return yield* startChanged(parts, next);
}

/**
 * Differs from rgmanager: what was being started meanwhile is looked at again when that has ended. Its record did not say yet that it runs
 * here, and the original leaves running what it had started of the old configuration alone.
 */
function* stopChanged(parts: ReconfigurationParts, old: Configuration): Task {
  parts.runtime.log('info', 'Stopping changed resources.');
  const asked = new Set<ResourceNode>();
  for (let isOver = false; !isOver && !parts.isOvertaken(); ) {
    isOver = parts.threads.isIdle;
    for (const root of old.roots) {
      if (asked.has(root) || !(yield* stopIfChanged(parts, old, root))) continue;
      asked.add(root);
      isOver = false;
    }
    yield* parts.threads.idle();
  }
}

/** Whether the service runs here, and its worker has been asked to stop what is gone or changed. */
function* stopIfChanged(
  { runtime, members, store, operations, threads }: ReconfigurationParts,
  old: Configuration,
  root: ResourceNode,
): Task<boolean> {
  const service = root.name;
  const record = store.readLocal(service);
  if (record === undefined || record.owner !== members.here) return false;
  const isGone = root.resource.needsStop;
  if (isGone) runtime.log('debug', `Removing ${service}`);
  if (isGone && !root.resource.rule.destroyOnDelete && old.isMigratory(service)) {
    runtime.log('notice', `${service} removed from the config, but I am not stopping it.`);
    yield* operations.rewrite({ ...record, state: ServiceState.DISABLED });
    return true;
  }
  return threads.enqueue(service, { request: isGone ? Request.DISABLE : Request.CONDSTOP });
}

/** Whether there are services that were not there before, or not like that. */
function* startChanged(parts: ReconfigurationParts, next: Configuration): Task<boolean> {
  const { runtime, members, store, threads, isOvertaken } = parts;
  runtime.log('info', 'Starting changed resources.');
  let hasNew = false;
  for (const root of next.roots) {
    const service = root.name;
    const isNew = needsInit(root);
    const record = isNew ? yield* store.readLocked(service) : store.readLocal(service);
    if (isOvertaken()) return false;
    if (record === undefined || (!isNew && record.owner !== members.here)) continue;
    if (isNew) {
      hasNew = true;
      runtime.log('notice', `Initializing ${service}`);
    }
    if (isNew && !root.resource.rule.initOnAdd && next.isMigratory(service)) {
      runtime.log('notice', `${service} was added to the config, but I am not initializing it.`);
    } else {
      threads.enqueue(service, { request: isNew ? Request.INIT : Request.CONDSTART });
    }
  }
  yield* threads.idle();
  if (isOvertaken()) return false;
  if (hasNew) yield* settleNew(parts, next);
  return hasNew;
}

/** New, or changed so that it must be stopped wherever it may run before it is started. */
function needsInit({ resource }: ResourceNode): boolean {
  return resource.needsStart && !resource.isReconfigured;
}

/** A service that replaces another was disabled with it: it may start again. */
function* settleNew({ store }: ReconfigurationParts, next: Configuration): Task {
  for (const { name: service, resource } of next.roots) {
    if (!resource.needsStart) continue;
    const lock = yield* store.lock(service);
    if (lock === undefined) continue;
    const record = yield* store.read(service);
    if (record?.state === ServiceState.DISABLED && isAutostart(resource.text('autostart'))) {
      yield* store.write({ ...record, state: ServiceState.STOPPED });
    }
    yield* store.unlock(lock);
  }
}
