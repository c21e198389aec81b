import type { Rgrp } from './rgrp.js';

/** How much more is reserved next time, after a reservation was used up (`RGRP_RSRV_ADDBLKS`). */
const RGRP_RSRV_ADDBLKS = 64;

/**
 * Where an inode allocates: its goal, and the blocks that it has reserved (`gfs2_blkreserv`).
 *
 * Two things are reserved. `requested` blocks from `start` on are kept clear of other inodes of this node, on no disk and
 * known to no other node; that lasts until they are used up or dropped. `reserved` blocks, wherever they may be, are
 * promised to the caller between `inplaceReserve` and `inplaceRelease`.
 */
export class Reservation {
  /** The inode's dinode block; 0 until it has one. */
  addr: number;
  readonly isDirectory: boolean;
  /** Where the next block should be: behind the last one (`i_goal`). */
  goal: number;
  /** Blocks that a file will want next, as far as one can tell (`i_sizehint`). */
  sizeHint = 0;
  /** The resource group of the last reservation, kept when it is gone (`rs_rgd`). */
  rgrp: Rgrp | undefined = undefined;
  /** First block of the no-fly zone (`rs_start`), and its length (`rs_requested`). */
  start = 0;
  requested = 0;
  /** Blocks promised and not allocated yet (`rs_reserved`). */
  reserved = 0;
  #isActive = false;

  /** A new inode has the address 0 and starts from its directory's goal. */
  constructor(addr: number, goal: number, isDirectory: boolean) {
    this.addr = addr;
    this.goal = goal;
    this.isDirectory = isDirectory;
  }

  /** Whether there is a no-fly zone (`gfs2_rs_active`). */
  get isActive(): boolean {
    return this.#isActive;
  }

  requestedIn(rgrp: Rgrp): number {
    return this.rgrp === rgrp ? this.requested : 0;
  }

  /** Sets up a no-fly zone in the current resource group (`rs_insert`). There must be none yet. */
  insert(start: number, requested: number): void {
    const rgrp = this.rgrp!;
    this.start = start;
    this.requested = requested;
    this.#isActive = true;
    rgrp.reservations.splice(firstBehind(rgrp.reservations, start), 0, this);
    rgrp.requested += requested;
  }

  /** Gives the no-fly zone up (`gfs2_rs_deltree`): at the last close for writing, and when the inode goes. */
  drop(): void {
    if (!this.#isActive) return;
    const rgrp = this.rgrp!;
    rgrp.reservations.splice(rgrp.reservations.indexOf(this), 1);
    rgrp.requested -= this.requested;
    // What was reserved may join free blocks behind it; searches find out.
    rgrp.extfailPt += this.requested;
    this.requested = 0;
    this.#isActive = false;
  }

  /** Notes that `count` blocks from `block` on were allocated (`gfs2_adjust_reservation`). */
  adjust(block: number, count: number): void {
    this.reserved -= count;
    if (!this.#isActive) return;
    if (block === this.start) {
      const claimed = Math.min(this.requested, count);
      const rgrp = this.rgrp!;
      this.start += count;
      this.requested -= claimed;
      rgrp.requested -= claimed;
      if (this.requested > 0 && this.start < rgrp.rindex.data0 + rgrp.rindex.data) return;
      this.sizeHint += RGRP_RSRV_ADDBLKS;
    }
    this.drop();
  }
}

/**
 * First block from `block` on with `length` blocks behind it that no reservation but `ignored` touches
 * (`gfs2_next_unreserved_block`).
 */
export function nextUnreservedBlock(rgrp: Rgrp, block: number, length: number, ignored: Reservation): number {
  const { reservations } = rgrp;
  if (reservations.length === 0) return block;
  for (let i = firstEndingBehind(reservations, block); i < reservations.length; i++) {
    const rs = reservations[i]!;
    if (block + length <= rs.start) break;
    if (rs !== ignored) block = rs.start + rs.requested;
  }
  return block;
}

/** Index of the first reservation that starts behind `start`. They never overlap. */
function firstBehind(reservations: readonly Reservation[], start: number): number {
  let low = 0;
  for (let high = reservations.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (reservations[middle]!.start > start) high = middle;
    else low = middle + 1;
  }
  return low;
}

function firstEndingBehind(reservations: readonly Reservation[], block: number): number {
  const i = firstBehind(reservations, block);
  const before = reservations[i - 1];
  return before !== undefined && before.start + before.requested > block ? i - 1 : i;
}
