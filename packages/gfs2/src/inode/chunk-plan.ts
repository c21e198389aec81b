import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { blocksAtHeight, heightFor } from '../ondisk/metadata-tree.js';
import type { Grant } from '../rgrp/resource-groups.js';
import { isJournaled } from './data-block.js';
import type { Inode } from './inode.js';
import { indirectBlocksTouched, mapCached, withTree } from './tree.js';

/** Most blocks written in one transaction; fewer of a file whose data goes through the journal. */
export const MAX_CHUNK_BLOCKS = 512;
const MAX_JOURNALED_CHUNK_BLOCKS = 256;

/** Blocks of the dinode and of the statfs file that every allocation changes. */
export const RES_DINODE = 1;
export const RES_STATFS = 1;

/**
 * Blocks from `lblock` on that one transaction gives a place (`gfs2_alloc_size`): those whose pointers are in one block. So a file
 * that is written in large pieces passes to the next resource group where an indirect block lies between its data anyway, and
 * its tree grows only when the first block needs that.
 */
export function chunkBlocks(fs: FileSystem, inode: Inode, lblock: number): number {
  const { geometry } = fs.core;
  let height = Math.max(1, inode.di.height);
  while (lblock >= blocksAtHeight(geometry, height)) height += 1;
  const here = height === 1 ? geometry.diptrs - lblock : geometry.inptrs - (lblock % geometry.inptrs);
  return Math.min(here, isJournaled(inode) ? MAX_JOURNALED_CHUNK_BLOCKS : MAX_CHUNK_BLOCKS);
}

/** Where a chunk goes, and what it costs. */
export interface Plan {
  readonly first: number;
  readonly count: number;
  /** Height that the tree must have. */
  readonly height: number;
  /** Data blocks that have no place yet. */
  readonly missing: number;
  /** Indirect blocks that may be changed or added, those of a higher tree included. */
  readonly indirect: number;
}

export function planChunk(fs: FileSystem, inode: Inode, offset: number, length: number): Task<Plan> {
  return withTree(fs, inode, () => planCached(fs, inode, offset, length));
}

/** The same; the number of a block that has to be read first if one is not in the cache. */
export function planCached(fs: FileSystem, inode: Inode, offset: number, length: number): Plan | number {
  const { geometry } = fs.core;
  const first = Math.floor(offset / geometry.blockSize);
  const count = Math.floor((offset + length - 1) / geometry.blockSize) - first + 1;
  const height = Math.max(1, inode.di.height, heightFor(geometry, offset + length));
  let missing = inode.di.height === 0 ? count : 0;
  for (let lblock = first; inode.di.height > 0 && lblock < first + count; ) {
    const extent = mapCached(fs, inode, lblock, first + count - lblock);
    if (typeof extent === 'number') return extent;
    if (extent.block === 0) missing += extent.count;
    lblock += extent.count;
  }
  const grown = Math.max(0, height - Math.max(1, inode.di.height));
  const indirect = indirectBlocksTouched(geometry.inptrs, height, first, count) + 2 * grown;
  return { first, count, height, missing, indirect };
}

/** Blocks that a chunk may take; none if it has all its places. */
export function targetOf(inode: Inode, { missing, indirect }: Plan): number {
  if (inode.di.height === 0) return missing + indirect + 1;
  return missing === 0 ? 0 : missing + indirect;
}

/** Journal blocks of a chunk that takes blocks. */
export function newBlocks(fs: FileSystem, inode: Inode, plan: Plan, grant: Grant | undefined): number {
  const journaled = isJournaled(inode) ? plan.count + 1 : 0;
  const bitmaps = fs.rgrps.bitmapBlocks(grant, targetOf(inode, plan));
  return RES_DINODE + RES_STATFS + plan.indirect + bitmaps + journaled;
}

/** Journal blocks of a chunk that has its places. */
export function overwriteBlocks(inode: Inode, plan: Plan): number {
  return RES_DINODE + (isJournaled(inode) ? plan.count : 0);
}

/** Logical blocks that are not written whole. */
export function partialBlocks(fs: FileSystem, plan: Plan, offset: number, length: number): readonly number[] {
  const { blockSize } = fs.core.geometry;
  if (offset % blockSize === 0 && length % blockSize === 0) return NONE;
  const last = plan.first + plan.count - 1;
  const isPartial = (lblock: number): boolean =>
    lblock * blockSize < offset || (lblock + 1) * blockSize > offset + length;
  return (plan.count === 1 ? [last] : [plan.first, last]).filter(isPartial);
}

const NONE: readonly number[] = [];
