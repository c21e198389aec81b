import type { Nanos } from '@quorate/kernel';
import type { PlockRecord } from './plock-message.js';
import { PlockTable } from './plock-table.js';

/** Nobody has said yet who owns it. */
export const OWNER_UNKNOWN = -1;
/** Everybody has its locks, and nobody owns it. */
export const UNOWNED = 0;

/** An operation of this node, and the request that it answers. */
export interface OwnPlock {
  readonly record: PlockRecord;
  readonly id: number;
}

/**
 * One inode's posix locks on one node (`resource`).
 *
 * A node that owns it serves its own processes without a message; nobody else has any there.
 */
export interface PlockResource {
  readonly number: bigint;
  /** Node, UNOWNED, or OWNER_UNKNOWN. */
  owner: number;
  /** The message that nobody owns it has come: all have the same locks (`R_GOT_UNOWN`). */
  gotUnown: boolean;
  lastAccess: Nanos;
  readonly table: PlockTable;
  /** Our own operations that wait until it is known who owns it; while there are any our OWN is under way. */
  pending: readonly OwnPlock[];
}

export function newPlockResource(number: bigint, owner: number, now: Nanos): PlockResource {
  const table = new PlockTable();
  return { number, owner, gotUnown: false, lastAccess: now, table, pending: [] };
}

/** A range as the views and `dlm_tool plocks` show it; numbers of 64 bits are decimal texts. */
export interface PlockView {
  readonly start: string;
  readonly end: string;
  readonly nodeid: number;
  readonly pid: number;
  readonly owner: string;
  readonly isExclusive: boolean;
}

export interface PlockResourceView {
  readonly number: string;
  readonly owner: number;
  readonly unusedFor: Nanos;
  readonly locks: readonly PlockView[];
  readonly waiters: readonly PlockView[];
  readonly pending: readonly PlockView[];
}

export function plockResourceView(r: PlockResource, now: Nanos): PlockResourceView {
  return {
    number: r.number.toString(),
    owner: r.owner,
    unusedFor: now - r.lastAccess,
    locks: r.table.locks.map(plockView),
    waiters: r.table.waiters.map(({ wanted }) => plockView(wanted)),
    pending: r.pending.map(({ record }) => plockView(record)),
  };
}

function plockView(lock: Pick<PlockRecord, 'start' | 'end' | 'owner' | 'nodeid' | 'pid' | 'isExclusive'>): PlockView {
  const { start, end, owner, nodeid, pid, isExclusive } = lock;
  return {
    start: start.toString(),
    end: end.toString(),
    nodeid,
    pid,
    owner: owner.toString(),
    isExclusive,
  };
}
