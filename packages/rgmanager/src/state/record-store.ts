import type { Task } from '@quorate/kernel';
import type { HeldLock, Locks } from '../cluster/locks.js';
import type { Views } from '../cluster/views.js';
import type { Runtime } from '../runtime/runtime.js';
import { decodeRecord, encodeRecord, freshRecord, type ServiceRecord, ServiceState } from './service-record.js';

/** How often a write is tried when a vote did not come in time. */
const WRITE_TRIES = 3;

function keyOf(service: string): string {
  return `rg="${service}"`;
}

/** Whether the value under this name is a service's record. */
export function isRecordKey(key: string): boolean {
  return key.startsWith('rg="');
}

/**
 * Records of services: read and written under their own locks, replicated to all members.
 *
 * Source: rgmanager src/daemons/rg_state.c, `get_rg_state`, `set_rg_state`.
 */
export class RecordStore {
  readonly #runtime: Runtime;
  readonly #locks: Locks;
  readonly #views: Views;

  constructor(runtime: Runtime, locks: Locks, views: Views) {
    this.#runtime = runtime;
    this.#locks = locks;
    this.#views = views;
  }

  *lock(service: string): Task<HeldLock | undefined> {
    return yield* this.#locks.acquire(keyOf(service));
  }

  *unlock(lock: HeldLock): Task {
    yield* this.#locks.release(lock);
  }

  /** The record as all members have it; a missing one is written as stopped. Undefined when that fails. */
  *read(service: string): Task<ServiceRecord | undefined> {
    const known = yield* this.#views.read(keyOf(service));
    if (known !== undefined) return decodeRecord(known);
    const fresh = freshRecord(service, ServiceState.STOPPED);
    return (yield* this.write(fresh)) ? fresh : undefined;
  }

  /** Read under the service's lock, which is released at once. */
  *readLocked(service: string): Task<ServiceRecord | undefined> {
    const lock = yield* this.lock(service);
    if (lock === undefined) return undefined;
    const record = yield* this.read(service);
    yield* this.unlock(lock);
    return record;
  }

  /** What is written without quorum counts as written: it is forgotten with everything else. */
  *write(record: ServiceRecord): Task<boolean> {
    const bytes = encodeRecord(record);
    for (let tries = 0; tries < WRITE_TRIES; tries++) {
      const result = yield* this.#views.write(keyOf(record.name), bytes);
      if (result === 'ok') this.#tell(record);
      if (result !== 'timeout') return result === 'ok' || result === 'unheard';
    }
    return false;
  }

  /** Takes a record for what all have agreed on. */
  resume(record: ServiceRecord): void {
    this.#views.resume(keyOf(record.name), encodeRecord(record));
  }

  /** What this node has in its cache; undefined if it has no record. */
  readLocal(service: string): ServiceRecord | undefined {
    const bytes = this.#views.readLocal(keyOf(service));
    return bytes === undefined ? undefined : decodeRecord(bytes);
  }

  /** What this node has in its cache when no write is under way any more. */
  *readSettled(service: string): Task<ServiceRecord | undefined> {
    const bytes = yield* this.#views.readSettled(keyOf(service));
    return bytes === undefined ? undefined : decodeRecord(bytes);
  }

  #tell(record: ServiceRecord): void {
    const { name: service, state, owner, lastOwner, restarts, flags } = record;
    this.#runtime.observe?.({
      kind: 'rg.service',
      now: this.#runtime.now,
      service,
      state,
      owner,
      lastOwner,
      restarts,
      flags,
    });
  }
}
