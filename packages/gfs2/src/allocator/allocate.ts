import { assert } from '@quorate/kernel';
import { BLKST, type BlockState } from '../bitmap.js';
import { RGF } from '../ondisk/rgrp-header.js';
import type { Reservation } from './reservation.js';
import type { Rgrp, RgrpHost } from './rgrp.js';
import { type Extent, rbmFind } from './search.js';

/** Blocks given out. */
export interface Allocation {
  /** First block. */
  readonly block: number;
  /** How many, at least one and at most as many as asked for. */
  readonly count: number;
}

/** A dinode's block, and what is new about it. */
export interface DinodeAllocation {
  readonly block: number;
  /** Never 0; kernels of today also use it as the formal inode number. */
  readonly generation: number;
}

/**
 * Gives blocks for data or metadata to an inode that has reserved them (`gfs2_alloc_blocks`): up to `want` in a row. The
 * inode's goal moves on.
 */
export function allocBlocks(rs: Reservation, want: number, host: RgrpHost): Allocation {
  const rgrp = groupOf(rs, want);
  const allocation = take(rgrp, rs, want, BLKST.USED, host);
  rs.goal = allocation.block + allocation.count - 1;
  rgrp.out(host);
  return allocation;
}

/** Gives a new inode its dinode's block (`alloc_dinode`), which becomes its goal. What else it reserved stays. */
export function allocDinode(rs: Reservation, host: RgrpHost): DinodeAllocation {
  const rgrp = groupOf(rs, 1);
  const { block } = take(rgrp, rs, 1, BLKST.DINODE, host);
  rgrp.dinodes += 1;
  if (rgrp.igeneration === 0) rgrp.igeneration = 1;
  const generation = rgrp.igeneration;
  rgrp.igeneration += 1;
  rs.addr = block;
  rs.goal = block;
  rgrp.out(host);
  return { block, generation };
}

/** Frees blocks that are no dinodes (`__gfs2_free_blocks`); all must lie in the group. */
export function freeBlocks(rgrp: Rgrp, block: number, count: number, host: RgrpHost): void {
  changeState(rgrp, block, count, BLKST.USED, BLKST.FREE, host);
  rgrp.free += count;
  rgrp.flags = (rgrp.flags & ~RGF.TRIMMED) >>> 0;
  rgrp.out(host);
}

/** The last link of an inode is gone: its dinode stays until nobody has it open (`gfs2_unlink_di`). */
export function unlinkDinode(rgrp: Rgrp, block: number, host: RgrpHost): void {
  changeState(rgrp, block, 1, BLKST.DINODE, BLKST.UNLINKED, host);
  rgrp.out(host);
}

/** Frees a dinode's block (`gfs2_free_di`): an unlinked one, or one that was just made and never linked. */
export function freeDinode(rgrp: Rgrp, block: number, host: RgrpHost): void {
  const isUnlinked = rgrp.stateOf(block) === BLKST.UNLINKED;
  changeState(rgrp, block, 1, isUnlinked ? BLKST.UNLINKED : BLKST.DINODE, BLKST.FREE, host);
  if (rgrp.dinodes === 0) rgrp.fail(host, `block ${block} is a dinode, and the header counts none`);
  rgrp.dinodes -= 1;
  rgrp.free += 1;
  rgrp.flags = (rgrp.flags & ~RGF.TRIMMED) >>> 0;
  rgrp.out(host);
}

/**
 * Takes the allocation of a dinode back within its transaction: as nobody has seen it, searches see the block at once. Has no
 * counterpart in Linux, which waits for the locks of the new inode after this transaction.
 */
export function giveBackDinode(rgrp: Rgrp, block: number, host: RgrpHost): void {
  const at = block - rgrp.rindex.data0;
  rgrp.bits[rgrp.indexOf(at)]!.giveBack(at, at + 1);
  rgrp.dinodes -= 1;
  rgrp.free += 1;
  rgrp.freeClone += 1;
  rgrp.out(host);
}

function groupOf(rs: Reservation, want: number): Rgrp {
  assert(
    rs.rgrp !== undefined && want >= 1 && rs.reserved >= want,
    () => `${want} blocks wanted, ${rs.reserved} reserved`,
  );
  return rs.rgrp;
}

function take(rgrp: Rgrp, rs: Reservation, want: number, state: BlockState, host: RgrpHost): Allocation {
  const found: Extent = { offset: 0, length: 0 };
  const isFound =
    (rs.isActive && rbmFind(rgrp, allocStart(rgrp, rs, state), 1, rs, false, found)) ||
    rbmFind(rgrp, allocStart(rgrp, rs, state), 1, undefined, false, found);
  if (!isFound) rgrp.fail(host, `no free block, and ${rgrp.free} counted`);
  const { offset } = found;
  const count = takeExtent(rgrp, offset, want, state, host);
  const block = rgrp.rindex.data0 + offset;
  rgrp.lastAlloc = offset;
  rs.adjust(block, count);
  if (rgrp.free < count || rgrp.reserved < count) {
    rgrp.fail(host, `${count} blocks allocated, ${rgrp.free} free, ${rgrp.reserved} reserved`);
  }
  rgrp.reserved -= count;
  rgrp.freeClone -= count;
  rgrp.free -= count;
  return { block, count };
}

/** Offset where the search starts (`gfs2_set_alloc_start`). */
function allocStart(rgrp: Rgrp, rs: Reservation, state: BlockState): number {
  if (rs.isActive) return rs.start - rgrp.rindex.data0;
  return state !== BLKST.DINODE && rgrp.hasData(rs.goal) ? rs.goal - rgrp.rindex.data0 : rgrp.lastAlloc;
}

/** Takes the free block at `offset` and what is free behind it, up to `want` blocks (`gfs2_alloc_extent`). */
function takeExtent(rgrp: Rgrp, offset: number, want: number, state: BlockState, host: RgrpHost): number {
  const end = Math.min(offset + want, rgrp.rindex.data);
  let at = offset;
  for (let bii = rgrp.indexOf(offset); at < end; bii++) {
    const bi = rgrp.bits[bii]!;
    const stop = bi.findUsed(at, end);
    if (stop === at) break;
    host.willChange(rgrp, bii);
    bi.take(at, stop, state);
    at = stop;
    if (stop < bi.end) break;
  }
  return at - offset;
}

/** Changes blocks from one state to another that searches see only after `releaseClones` (`rgblk_free`). */
function changeState(rgrp: Rgrp, block: number, count: number, from: BlockState, to: BlockState, host: RgrpHost): void {
  const start = block - rgrp.rindex.data0;
  if (!rgrp.hasData(block) || !rgrp.hasData(block + count - 1)) rgrp.fail(host, `block ${block} is not in the group`);
  for (let at = start; at < start + count; ) {
    const bii = rgrp.indexOf(at);
    const bi = rgrp.bits[bii]!;
    const end = Math.min(start + count, bi.end);
    for (let offset = at; offset < end; offset++) {
      const state = bi.stateOf(offset);
      if (state !== from) rgrp.fail(host, `block ${rgrp.rindex.data0 + offset} is in state ${state}, not ${from}`);
    }
    host.willChange(rgrp, bii);
    bi.change(at, end, to);
    at = end;
  }
}
