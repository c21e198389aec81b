/** Last byte of a range that goes to the end of the file (`OFFSET_MAX`). */
export const PLOCK_EOF = 0x7fff_ffff_ffff_ffffn;

/** A range of a file in bytes; `end` belongs to it. */
export interface PlockRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** Who has a posix lock: a table of open files on a node. The process id is for people to read. */
export interface PlockOwner {
  readonly nodeid: number;
  readonly owner: bigint;
  readonly pid: number;
}

/** What is asked of a file's locks: to set one. */
export interface PlockWanted extends PlockRange, PlockOwner {
  readonly isExclusive: boolean;
}

/** One range that an owner holds (`posix_lock`). */
export interface PosixLock extends PlockOwner {
  start: bigint;
  end: bigint;
  isExclusive: boolean;
  /** It was told to the others, and our own message has not come back yet (`P_SYNCING`). */
  isSyncing: boolean;
}

/** A request that waits for others to unlock (`lock_waiter`). */
export interface PlockWaiter {
  readonly wanted: PlockWanted;
  /** Of the local request that it answers; undefined for one of another node. */
  readonly id: number | undefined;
  isSyncing: boolean;
}

/**
 * The posix locks of one file: granted ranges in the order in which they came to be, and waiters in theirs.
 *
 * Ranges of one owner never overlap; they are not joined when they touch.
 *
 * Source: dlm dlm_controld/plock.c, `lock_internal`, `unlock_internal`, `do_waiters`.
 */
export class PlockTable {
  readonly locks: PosixLock[] = [];
  readonly waiters: PlockWaiter[] = [];

  get isEmpty(): boolean {
    return this.locks.length === 0 && this.waiters.length === 0;
  }

  /** The first lock in the way: another owner's, overlapping, and one of the two exclusive (`is_conflict`). */
  conflictOf(wanted: PlockWanted): PosixLock | undefined {
    return this.locks.find((held) => isInTheWay(held, wanted));
  }

  /** All of them. */
  conflictsOf(wanted: PlockWanted): readonly PosixLock[] {
    return this.locks.filter((held) => isInTheWay(held, wanted));
  }

  /** Sets a range that nobody else is in the way of, over what its owner held there. */
  lock(wanted: PlockWanted): void {
    for (const held of this.#ownLocks(wanted)) {
      if (covers(held, wanted)) {
        if (held.isExclusive !== wanted.isExclusive) this.#changeInside(held, wanted);
        return;
      }
      if (covers(wanted, held)) this.#delete(held);
      else cut(held, wanted);
    }
    this.add(wanted, wanted, wanted.isExclusive);
  }

  /** Takes a range from what its owner holds; nothing if that is nothing. */
  unlock(gone: PlockRange & PlockOwner): void {
    for (const held of this.#ownLocks(gone)) {
      if (held.start < gone.start && held.end > gone.end) {
        this.add({ start: gone.end + 1n, end: held.end }, gone, held.isExclusive);
        held.end = gone.start - 1n;
      } else if (covers(gone, held)) this.#delete(held);
      else cut(held, gone);
    }
  }

  add({ start, end }: PlockRange, { nodeid, owner, pid }: PlockOwner, isExclusive: boolean): void {
    this.locks.push({ start, end, nodeid, owner, pid, isExclusive, isSyncing: false });
  }

  wait(wanted: PlockWanted, id: number | undefined): void {
    this.waiters.push({ wanted, id, isSyncing: false });
  }

  /** An owner waits no more (`clear_waiters`). */
  clearWaiters(owner: PlockOwner): void {
    this.#dropWaiters((waiter) => isSameOwner(waiter.wanted, owner));
  }

  /**
   * Grants what nobody is in the way of any more, in the order in which they wait; a later one may pass one that still is blocked.
   *
   * Differs from dlm_controld, which goes through them once: a grant that makes its owner's older lock a shared one can free
   * a waiter that was looked at before.
   */
  takeWaiters(tell: (waiter: PlockWaiter) => void): void {
    for (let next = this.#grantable(); next !== undefined; next = this.#grantable()) {
      this.waiters.splice(this.waiters.indexOf(next), 1);
      this.lock(next.wanted);
      tell(next);
    }
  }

  /** A node is gone, with its locks and its waiters. Returns how many there were. */
  purge(nodeid: number): number {
    const count = this.locks.length + this.waiters.length;
    for (const held of this.locks.filter((lock) => lock.nodeid === nodeid)) this.#delete(held);
    this.#dropWaiters((waiter) => waiter.wanted.nodeid === nodeid);
    return count - this.locks.length - this.waiters.length;
  }

  #grantable(): PlockWaiter | undefined {
    return this.waiters.find(({ wanted }) => this.conflictOf(wanted) === undefined);
  }

  /** The owner's locks that overlap, as they are now. */
  #ownLocks(asked: PlockRange & PlockOwner): readonly PosixLock[] {
    return this.locks.filter((held) => isSameOwner(held, asked) && overlap(held, asked));
  }

  /** The range inside gets the other mode, what is left of the lock before and behind it keeps its own. */
  #changeInside(held: PosixLock, wanted: PlockWanted): void {
    const { start, end, isExclusive } = held;
    if (start < wanted.start) this.add({ start, end: wanted.start - 1n }, wanted, isExclusive);
    if (end > wanted.end) this.add({ start: wanted.end + 1n, end }, wanted, isExclusive);
    held.start = wanted.start;
    held.end = wanted.end;
    held.isExclusive = wanted.isExclusive;
  }

  #delete(held: PosixLock): void {
    this.locks.splice(this.locks.indexOf(held), 1);
  }

  #dropWaiters(isGone: (waiter: PlockWaiter) => boolean): void {
    for (const waiter of this.waiters.filter(isGone)) this.waiters.splice(this.waiters.indexOf(waiter), 1);
  }
}

export function isSameOwner(a: PlockOwner, b: PlockOwner): boolean {
  return a.nodeid === b.nodeid && a.owner === b.owner;
}

function isInTheWay(held: PosixLock, wanted: PlockWanted): boolean {
  return !isSameOwner(held, wanted) && overlap(held, wanted) && (held.isExclusive || wanted.isExclusive);
}

function overlap(a: PlockRange, b: PlockRange): boolean {
  return a.end >= b.start && a.start <= b.end;
}

function covers(outer: PlockRange, inner: PlockRange): boolean {
  return outer.start <= inner.start && outer.end >= inner.end;
}

/** Takes from a lock the end that a range overlaps. */
function cut(held: PosixLock, gone: PlockRange): void {
  if (held.start < gone.start) held.end = gone.start - 1n;
  else held.start = gone.end + 1n;
}
