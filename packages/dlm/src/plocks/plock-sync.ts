import { ENTRIES_PER_DATA, type PlockData, type PlockDataEntry } from './plock-message.js';
import type { PlockOwner, PlockRange, PlockTable } from './plock-table.js';

/** One inode as a node tells it to those that join. */
export interface PlockSync {
  readonly number: bigint;
  readonly owner: number;
  readonly entries: readonly PlockDataEntry[];
}

/** Locks, then waiters, without those that their owner is telling everybody about. */
export function entriesOf(table: PlockTable): PlockDataEntry[] {
  const locks = table.locks.filter((held) => !held.isSyncing);
  const waiters = table.waiters.filter((waiter) => !waiter.isSyncing);
  return [
    ...locks.map((held) => entryOf(held, held.isExclusive, false)),
    ...waiters.map(({ wanted }) => entryOf(wanted, wanted.isExclusive, true)),
  ];
}

function entryOf(
  { start, end, owner, nodeid, pid }: PlockRange & PlockOwner,
  isExclusive: boolean,
  isWaiter: boolean,
): PlockDataEntry {
  return { start, end, owner, nodeid, pid, isExclusive, isWaiter };
}

/** Cuts an inode into bodies of PLOCKS_DATA; all but the first go on with the same inode. */
export function plockDataOf({ number, owner, entries }: PlockSync): readonly PlockData[] {
  const bodies: PlockData[] = [];
  for (let at = 0; at === 0 || at < entries.length; at += ENTRIES_PER_DATA) {
    bodies.push({ number, owner, isContinued: at > 0, entries: entries.slice(at, at + ENTRIES_PER_DATA) });
  }
  return bodies;
}
