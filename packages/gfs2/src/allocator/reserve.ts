import type { Task } from '@quorate/kernel';
import type { Reservation } from './reservation.js';
import { RDF, type Rgrp } from './rgrp.js';
import type { RgrpIndex } from './rgrp-index.js';
import { type Extent, rbmFind } from './search.js';

/** Least number of blocks that a file reserves: what one 64-bit word of bitmap describes (`RGRP_RSRV_MINBLKS`). */
const RGRP_RSRV_MINBLKS = 32;

/** What an operation needs (`gfs2_alloc_parms`). */
export interface AllocParms {
  /** Blocks that it may allocate. */
  readonly target: number;
  /** Blocks that would still be of use, asked for when nothing else is left; 0 or absent when only all are. */
  readonly minTarget?: number;
  /** Spread directories over the device (`GFS2_AF_ORLOV`): groups to pass by, drawn below the number of groups. */
  readonly skip?: number;
}

/** What the reservation loop asks of its file system. */
export interface ReserveHost<R extends Rgrp> {
  /** Whether the caller holds the group's lock already, for instance to allocate in one it works on. */
  isLockedByMe(rgrp: R): boolean;
  /** The group can be locked without asking another node: its lock is cached, idle and not wanted, or it is preferred. */
  isFastToAcquire(rgrp: R): boolean;
  /**
   * Asking for the group's lock would take unusually long (`gfs2_rgrp_congested`). `loops` is the pass; a group that was
   * in use during the last second is not congested as far as the check before the lock goes (`isHeld` is false then).
   */
  isCongested(rgrp: R, loops: number, isHeld: boolean): boolean;
  /** Takes the group's lock exclusive with node scope and attaches its blocks; undefined when that is done at once. */
  lock(rgrp: R): Task | undefined;
  unlock(rgrp: R): void;
  /** The group is full and may hold unlinked dinodes (`RDF.CHECK`): has them deleted, or clears the flag. */
  reclaim(rgrp: R): void;
  /** Commits what is in memory, which may release blocks. */
  flushLog(): Task;
}

/**
 * Promises blocks to an inode before its transaction starts (`gfs2_inplace_reserve`). In up to three passes round the
 * resource groups it looks for one that has them, first only where it is cheap and where they fit in one run.
 *
 * Gives the group, locked; ENOSPC when no group has the blocks. What is not allocated is given back by
 * `inplaceRelease`; the caller unlocks the group.
 *
 * @throws {RangeError} when `target` is not at least 1, blocks are promised already, or there is no group at all.
 */
export function* inplaceReserve<R extends Rgrp>(
  index: RgrpIndex<R>,
  rs: Reservation,
  parms: AllocParms,
  host: ReserveHost<R>,
): Task<R | 'ENOSPC'> {
  if (parms.target < 1 || rs.reserved > 0) throw new RangeError(`${parms.target} blocks asked, ${rs.reserved} held`);
  const begin = startingRgrp(index, rs);
  let { target } = parms;
  let skip = parms.skip ?? 0;
  let rgrp = begin;
  for (let loops = 0; loops < 3; ) {
    rs.rgrp = rgrp;
    const isLocked = host.isLockedByMe(rgrp);
    const isSkipped = skip > 0;
    if (isSkipped) skip -= 1;
    if (isLocked || rs.isActive || !(isSkipped || isToBePassed(rgrp, loops, host))) {
      const locking = isLocked ? undefined : host.lock(rgrp);
      if (locking !== undefined) yield* locking;
      if (fits(rgrp, rs, target, parms, loops, isLocked, host)) {
        promise(rgrp, rs, parms.target);
        return rgrp;
      }
      rs.drop();
      if (!isLocked) host.unlock(rgrp);
    }
    rgrp = index.next(rgrp);
    if (rgrp !== begin || skip > 0) continue;
    loops += 1;
    if (loops === 2) {
      target = parms.minTarget || target;
      yield* host.flushLog();
    }
  }
  return 'ENOSPC';
}

/** The same in a group that is locked already and has the inode's no-fly zone; false when it has too little, and nothing was done. */
export function promiseNow(rgrp: Rgrp, rs: Reservation, target: number): boolean {
  if (rgrp.isUnusable || target > rgrp.extfailPt || !hasRoom(rgrp, rs, target)) return false;
  promise(rgrp, rs, target);
  return true;
}

/** Gives back what was promised and not allocated (`gfs2_inplace_release`); the no-fly zone stays. */
export function inplaceRelease(rs: Reservation): void {
  if (rs.rgrp !== undefined) rs.rgrp.reserved -= rs.reserved;
  rs.reserved = 0;
}

function startingRgrp<R extends Rgrp>(index: RgrpIndex<R>, rs: Reservation): R {
  const last = index.own(rs.rgrp);
  if (last !== undefined && (rs.isActive || last.hasData(rs.goal))) return last;
  // A goal that is nowhere, for instance on a file system that was damaged: back to the inode.
  if (index.find(rs.goal) === undefined) rs.goal = rs.addr;
  const start = index.find(rs.goal) ?? index.all[0];
  if (start === undefined) throw new RangeError('a file system without resource groups');
  return start;
}

/** Whether the group is not even to be locked in this pass. */
function isToBePassed<R extends Rgrp>(rgrp: R, loops: number, host: ReserveHost<R>): boolean {
  if (loops === 0 && !host.isFastToAcquire(rgrp)) return true;
  return loops < 2 && host.isCongested(rgrp, loops, false);
}

/** Whether the group, which is locked, has the blocks; sets up a no-fly zone in it when it can. */
function fits<R extends Rgrp>(
  rgrp: R,
  rs: Reservation,
  target: number,
  parms: AllocParms,
  loops: number,
  isLocked: boolean,
  host: ReserveHost<R>,
): boolean {
  if (!isLocked && !rs.isActive && loops < 2 && host.isCongested(rgrp, loops, true)) return false;
  if (rgrp.isUnusable || (loops === 0 && target > rgrp.extfailPt)) return false;
  if (!rs.isActive) rgMblkSearch(rgrp, rs, parms.target);
  const isEnough = (rs.isActive || loops > 0) && hasRoom(rgrp, rs, target);
  if (!isEnough && (rgrp.flags & RDF.CHECK) !== 0) host.reclaim(rgrp);
  return isEnough;
}

function hasRoom(rgrp: Rgrp, rs: Reservation, target: number): boolean {
  return rgrp.usable(rs) >= target && rgrp.available >= target;
}

function promise(rgrp: Rgrp, rs: Reservation, target: number): void {
  rs.reserved = Math.min(target, rgrp.available);
  rgrp.reserved += rs.reserved;
}

/** Looks for a run of free blocks and reserves it (`rg_mblk_search`): for a file as many as it will want, at least 32. */
function rgMblkSearch(rgrp: Rgrp, rs: Reservation, target: number): void {
  const usable = rgrp.usable(rs);
  const wanted = rs.isDirectory ? 1 : Math.min(Math.max(rs.sizeHint, target, RGRP_RSRV_MINBLKS), usable);
  if (wanted < 1 || usable < wanted || rgrp.available < wanted) return;
  const { data0 } = rgrp.rindex;
  const hasGoal = rgrp.hasData(rs.goal);
  const found: Extent = { offset: 0, length: 0 };
  if (rbmFind(rgrp, hasGoal ? rs.goal - data0 : rgrp.lastAlloc, wanted, rs, true, found)) {
    rs.insert(data0 + found.offset, found.length);
  } else if (!hasGoal) rgrp.lastAlloc = 0;
}
