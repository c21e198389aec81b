import type { Task } from '@quorate/kernel';
import {
  type Allocation,
  allocBlocks,
  allocDinode,
  freeBlocks,
  freeDinode,
  unlinkDinode,
} from '../src/allocator/allocate.js';
import { Reservation } from '../src/allocator/reservation.js';
import { type AllocParms, inplaceRelease, inplaceReserve, type ReserveHost } from '../src/allocator/reserve.js';
import { Rgrp, type RgrpHost } from '../src/allocator/rgrp.js';
import { RgrpIndex } from '../src/allocator/rgrp-index.js';
import { bitmapBlocksFor } from '../src/ondisk/bitmap-layout.js';
import { geometryOf } from '../src/ondisk/geometry.js';
import { initMetaBlock, META_TYPE } from '../src/ondisk/meta-header.js';
import { encodeRgrpHeader } from '../src/ondisk/rgrp-header.js';

/** The allocator under a node that is alone: every lock is free, and what a flush releases is released at once. */
export class LoneNode implements RgrpHost, ReserveHost<Rgrp> {
  readonly index: RgrpIndex;
  /** Blocks that were announced as changing, in order: address of the group and index. */
  readonly changes: (readonly [number, number])[] = [];
  flushes = 0;

  constructor(rgrps: readonly Rgrp[]) {
    this.index = new RgrpIndex(rgrps);
  }

  /** Promises blocks; ENOSPC when there are none. */
  reserve(rs: Reservation, parms: AllocParms): Rgrp | 'ENOSPC' {
    const task = inplaceReserve(this.index, rs, parms, this);
    for (;;) {
      const { done, value } = task.next();
      if (done) return value;
    }
  }

  /** Makes an inode with a dinode and no more. */
  create(goal: number, isDirectory: boolean): Reservation {
    const rs = new Reservation(0, goal, isDirectory);
    this.reserve(rs, { target: 1 });
    allocDinode(rs, this);
    inplaceRelease(rs);
    return rs;
  }

  /** Allocates `count` blocks, in as many extents as it takes. */
  allocate(rs: Reservation, count: number, target: number = count): Allocation[] | 'ENOSPC' {
    if (this.reserve(rs, { target }) === 'ENOSPC') return 'ENOSPC';
    const extents: Allocation[] = [];
    for (let left = count; left > 0; ) {
      const extent = allocBlocks(rs, left, this);
      extents.push(extent);
      left -= extent.count;
    }
    inplaceRelease(rs);
    return extents;
  }

  free(block: number, count: number): void {
    freeBlocks(this.index.find(block)!, block, count, this);
  }

  /** Unlinks an inode and frees its dinode. */
  delete(inode: Reservation): void {
    inode.drop();
    const rgrp = this.index.find(inode.addr)!;
    unlinkDinode(rgrp, inode.addr, this);
    freeDinode(rgrp, inode.addr, this);
  }

  flush(): void {
    this.flushes += 1;
    for (const rgrp of this.index.all) rgrp.releaseClones();
  }

  willChange(rgrp: Rgrp, index: number): void {
    this.changes.push([rgrp.addr, index]);
  }

  inconsistent(rgrp: Rgrp, text: string): never {
    throw new Error(`resource group ${rgrp.addr}: ${text}`);
  }

  isLockedByMe(): boolean {
    return false;
  }

  isFastToAcquire(): boolean {
    return true;
  }

  isCongested(): boolean {
    return false;
  }

  lock(): undefined {}

  unlock(): void {}

  reclaim(): void {}

  *flushLog(): Task {
    this.flush();
  }
}

/** An empty resource group of that many data blocks, with its blocks in memory. */
export function emptyRgrp(blockSize: number, addr: number, data: number): { rgrp: Rgrp; blocks: Uint8Array[] } {
  const geometry = geometryOf(blockSize);
  const length = bitmapBlocksFor(geometry, data);
  const rindex = { addr, length, data0: addr + length, data, bitbytes: data / 4 };
  const blocks = Array.from({ length }, () => new Uint8Array(blockSize));
  for (const block of blocks.slice(1)) initMetaBlock(block, META_TYPE.RB);
  encodeRgrpHeader({ flags: 0, free: data, dinodes: 0, skip: 0, igeneration: 0 }, rindex, blocks[0]!);
  const rgrp = new Rgrp(geometry, rindex);
  rgrp.attach(blocks);
  return { rgrp, blocks };
}
