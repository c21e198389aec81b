import type { Task } from '@quorate/kernel';
import { bitmapBlocksFor } from '../ondisk/bitmap-layout.js';
import { geometryOf } from '../ondisk/geometry.js';
import { initMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { encodeRgrpHeader } from '../ondisk/rgrp-header.js';
import type { RindexEntry } from '../ondisk/rindex.js';
import { type Allocation, allocBlocks, allocDinode, freeBlocks, freeDinode, unlinkDinode } from './allocate.js';
import { Reservation } from './reservation.js';
import { inplaceRelease, inplaceReserve, type ReserveHost } from './reserve.js';
import { Rgrp, type RgrpHost } from './rgrp.js';
import { RgrpIndex } from './rgrp-index.js';

/** A resource group's place, and its header and bitmap blocks. */
export interface BitmapGroup {
  readonly rindex: RindexEntry;
  readonly blocks: readonly Uint8Array[];
}

/** An empty group of `data` blocks, a multiple of 4, whose header and bitmap come first, at `addr`. @throws {RangeError} */
export function newBitmapGroup(blockSize: number, addr: number, data: number): BitmapGroup {
  if (data % 4 !== 0 || data <= 0) throw new RangeError(`${data} blocks: a multiple of 4 is needed`);
  const length = bitmapBlocksFor(geometryOf(blockSize), data);
  const rindex = { addr, length, data0: addr + length, data, bitbytes: data / 4 };
  const blocks = Array.from({ length }, () => new Uint8Array(blockSize));
  for (const block of blocks.slice(1)) initMetaBlock(block, META_TYPE.RB);
  encodeRgrpHeader({ flags: 0, free: data, dinodes: 0, skip: 0, igeneration: 0 }, rindex, blocks[0]!);
  return { rindex, blocks };
}

/**
 * The allocator of GFS2 for a program that keeps bitmaps and has no file system around them. Everything is in memory and decided at
 * once: nobody else has locks, and nothing is deleted behind its back.
 *
 * Who grows has a `Reservation`: it keeps a run of blocks clear of the others as long as it is not closed.
 */
export class BlockAllocator {
  readonly #index: RgrpIndex;
  readonly #host: RgrpHost & ReserveHost<Rgrp>;

  /**
   * The groups in the order of their addresses; their bytes are changed in place, and `changed` is told before that, by block
   * number.
   *
   * @throws {RangeError} when a group's blocks are not what its record says
   */
  constructor(groups: readonly BitmapGroup[], changed: (block: number) => void = () => {}) {
    this.#index = new RgrpIndex(
      groups.map(({ rindex, blocks }) => {
        const rgrp = new Rgrp(geometryOf(blocks[0]?.length ?? 0), rindex);
        if (!rgrp.attach(blocks)) throw new RangeError(`the blocks at ${rindex.addr} are no resource group`);
        return rgrp;
      }),
    );
    this.#host = new AloneHost(changed, () => this.commit());
  }

  /** Free blocks, those whose release waits for `commit` included. */
  get free(): number {
    return this.#index.all.reduce((sum, { free }) => sum + free, 0);
  }

  /** Somebody who will grow, from `goal` on if there is room. Directories reserve single blocks. */
  grower(goal: number, isDirectory = false): Reservation {
    return new Reservation(0, goal, isDirectory);
  }

  /** Makes the grower's inode: one block. ENOSPC when all is full. */
  create(grower: Reservation): number | 'ENOSPC' {
    if (this.#reserve(grower, 1) === 'ENOSPC') return 'ENOSPC';
    const { block } = allocDinode(grower, this.#host);
    inplaceRelease(grower);
    return block;
  }

  /** Gives the grower `count` blocks in as few runs as can be had. ENOSPC when no group has so many: then none is given. */
  allocate(grower: Reservation, count: number): readonly Allocation[] | 'ENOSPC' {
    if (this.#reserve(grower, count) === 'ENOSPC') return 'ENOSPC';
    const runs: Allocation[] = [];
    for (let left = count; left > 0; ) {
      const run = allocBlocks(grower, left, this.#host);
      runs.push(run);
      left -= run.count;
    }
    inplaceRelease(grower);
    return runs;
  }

  /** The grower does not grow for now: its run is anybody's. */
  close(grower: Reservation): void {
    grower.drop();
  }

  /** Frees blocks of one group. They are not given out again before `commit`. */
  release(block: number, count: number): void {
    freeBlocks(this.#groupOf(block), block, count, this.#host);
  }

  /** Frees the block of an inode. */
  remove(inode: number): void {
    const rgrp = this.#groupOf(inode);
    unlinkDinode(rgrp, inode, this.#host);
    freeDinode(rgrp, inode, this.#host);
  }

  /** What was freed is so for good: it may be given out again. Is done by itself when nothing else is free. */
  commit(): void {
    for (const rgrp of this.#index.all) rgrp.releaseClones();
  }

  #groupOf(block: number): Rgrp {
    const rgrp = this.#index.find(block);
    if (rgrp?.hasData(block) !== true) throw new RangeError(`block ${block} is in no group`);
    return rgrp;
  }

  #reserve(grower: Reservation, target: number): Rgrp | 'ENOSPC' {
    const task = inplaceReserve(this.#index, grower, { target }, this.#host);
    for (;;) {
      const { done, value } = task.next();
      if (done) return value;
    }
  }
}

class AloneHost implements RgrpHost, ReserveHost<Rgrp> {
  readonly #changed: (block: number) => void;
  readonly #commit: () => void;

  constructor(changed: (block: number) => void, commit: () => void) {
    this.#changed = changed;
    this.#commit = commit;
  }

  willChange(rgrp: Rgrp, index: number): void {
    this.#changed(rgrp.addr + index);
  }

  inconsistent(rgrp: Rgrp, text: string): never {
    throw new RangeError(`resource group ${rgrp.addr}: ${text}`);
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
    this.#commit();
  }
}
