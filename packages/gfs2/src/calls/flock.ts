import { MILLISECOND, type Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { type Holder, HolderFlag } from '../glock/glock.js';
import { GlockType } from '../glock/glock-name.js';
import { Refusal } from '../refusal.js';
import { Signal, waitUntil } from '../scheduler.js';
import type { OpenFile } from './descriptors.js';
import type { FlockMode } from './operation.js';

/** How long LOCK_NB gives those that keep a lock unused to hand it over, from one try to the next. */
const TRY_PAUSES = [1, 2, 4] as const;

/**
 * flock(2): a glock of its own kind on the inode, held by the open file. Changing the mode gives the lock up first.
 *
 * Without waiting it asks those in the way once (TRY_1CB), and tries twice more, as a lock that another node only keeps cached
 * takes a moment to come.
 *
 * Source: Linux fs/gfs2/file.c, `do_flock`.
 */
export function* flock(fs: FileSystem, file: OpenFile, how: FlockMode, isWaiting: boolean): Task<undefined> {
  const state = how === 'exclusive' ? 'EX' : 'SH';
  if (how !== 'unlock' && file.flock?.state === state) return undefined;
  unflock(fs, file);
  if (how === 'unlock') return undefined;
  const { locks } = fs.core;
  // A glock that nobody has got is gone: each try has its own.
  const take = (flags: number): Task<Holder | undefined> =>
    locks.tryAcquire(locks.get(GlockType.flock, file.inode.addr), state, flags | HolderFlag.EXACT);
  let holder = yield* take(isWaiting ? 0 : HolderFlag.TRY_1CB);
  for (const pause of TRY_PAUSES) {
    if (holder !== undefined) break;
    yield* waitUntil(new Signal(), fs.core.scheduler.now + pause * MILLISECOND);
    if (pause < 4) holder = yield* take(HolderFlag.TRY);
  }
  if (holder === undefined) throw new Refusal('EAGAIN');
  file.flock = holder;
  return undefined;
}

/** Gives back what flock(2) has taken on an open file. */
export function unflock(fs: FileSystem, file: OpenFile): void {
  const holder = file.flock;
  file.flock = undefined;
  if (holder !== undefined) fs.core.locks.release(holder);
}
