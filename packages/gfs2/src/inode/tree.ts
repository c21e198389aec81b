import { AssertionError, type Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import type { Transaction } from '../log/log.js';
import { encodeDinode, isDirectory } from '../ondisk/dinode.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import { initMetaBlock, isMetaBlock, META_HEADER_BYTES, META_TYPE } from '../ondisk/meta-header.js';
import { blocksAtHeight, findMetapath, getPointer, pointerArea, setPointer } from '../ondisk/metadata-tree.js';
import type { Grant } from '../rgrp/resource-groups.js';
import { addFileData } from './data-block.js';
import type { Inode } from './inode.js';

/** Neighbouring logical blocks that are neighbours on the device too, or a hole. */
export interface Extent {
  /** First block on the device; 0 for a hole. */
  readonly block: number;
  readonly count: number;
}

/** Blocks that have a place on the device. */
export interface PlacedExtent extends Extent {
  /** It has just been allocated. */
  readonly isNew: boolean;
}

/** What a change of a tree needs at hand. */
export interface TreeChange {
  readonly fs: FileSystem;
  readonly inode: Inode;
  readonly transaction: Transaction;
  /** Blocks promised to the change; undefined when it takes none. */
  readonly grant: Grant | undefined;
}

/** The path to the block that is looked for: of one walk at a time, as none of them waits. */
const PATH: number[] = [];

/** Reads an indirect block of the inode. @throws {Refusal} EIO */
export function* readIndirect(fs: FileSystem, inode: Inode, block: number): Task<Buffer> {
  return checkIndirect(fs, inode, yield* fs.core.cache.read(inode.glock.space, block));
}

function cachedIndirect(fs: FileSystem, inode: Inode, block: number): Buffer | undefined {
  const buffer = fs.core.cache.getIn(inode.glock.space, block);
  return buffer === undefined ? undefined : checkIndirect(fs, inode, buffer);
}

function checkIndirect(fs: FileSystem, inode: Inode, buffer: Buffer): Buffer {
  if (!isMetaBlock(buffer.data, META_TYPE.IN)) {
    fs.core.inconsistent(`block ${buffer.block} of inode ${inode.addr} is not an indirect block`);
  }
  return buffer;
}

/**
 * Gives what `attempt` finds in a tree. While that is the number of a block which it misses in the cache, that block is read, and
 * it is called again: a task that finds all in the cache never starts to wait.
 *
 * @throws {Refusal} EIO
 */
export function* withTree<T extends object>(fs: FileSystem, inode: Inode, attempt: () => T | number): Task<T> {
  for (;;) {
    const found = attempt();
    if (typeof found !== 'number') return found;
    if (found === inode.addr) yield* fs.inodes.dinodeBuffer(inode);
    else yield* readIndirect(fs, inode, found);
  }
}

/** Where logical block `lblock` is, and how many behind it lie the same way, at most `most` (`gfs2_block_map`). */
export function mapExtent(fs: FileSystem, inode: Inode, lblock: number, most: number): Task<Extent> {
  return withTree(fs, inode, () => mapCached(fs, inode, lblock, most));
}

/** The same; the number of a block that has to be read first if one is not in the cache. */
export function mapCached(fs: FileSystem, inode: Inode, lblock: number, most: number): Extent | number {
  const { geometry } = fs.core;
  const { height } = inode.di;
  if (lblock >= blocksAtHeight(geometry, height)) return { block: 0, count: most };
  const path = findMetapath(geometry, height, lblock, PATH);
  let buffer = inode.uptodateBuffer;
  if (buffer === undefined) return inode.addr;
  for (let level = 0; level < height - 1; level++) {
    const block = getPointer(buffer.data, level, path[level]!);
    if (block === 0) return { block: 0, count: Math.min(most, holeBehind(geometry.inptrs, path, level, height)) };
    buffer = cachedIndirect(fs, inode, block);
    if (buffer === undefined) return block;
  }
  return runOfPointers(buffer, height - 1, path[height - 1]!, pointerArea(geometry, height - 1).count, most);
}

/** Logical blocks from the path on that a missing pointer at `level` leaves without a block. */
function holeBehind(inptrs: number, path: readonly number[], level: number, height: number): number {
  let span = 1;
  let offset = 0;
  for (let below = height - 1; below > level; below--) {
    offset += path[below]! * span;
    span *= inptrs;
  }
  return span - offset;
}

function runOfPointers(buffer: Buffer, level: number, index: number, pointers: number, most: number): Extent {
  const block = getPointer(buffer.data, level, index);
  let count = 1;
  while (count < most && index + count < pointers) {
    if (getPointer(buffer.data, level, index + count) !== (block === 0 ? 0 : block + count)) break;
    count += 1;
  }
  return { block, count };
}

/** Blocks of the tree, the dinode left out, that a write of `count` blocks from `lblock` on may change or add. */
export function indirectBlocksTouched(inptrs: number, height: number, lblock: number, count: number): number {
  let blocks = 0;
  let first = lblock;
  let last = lblock + count - 1;
  for (let level = height - 1; level > 0; level--) {
    first = Math.floor(first / inptrs);
    last = Math.floor(last / inptrs);
    blocks += last - first + 1;
  }
  return blocks;
}

/** Writes the dinode's fields into its block, inside the transaction. */
export function* writeDinode(fs: FileSystem, inode: Inode, transaction: Transaction): Task {
  writeDinodeTo(yield* fs.inodes.dinodeBuffer(inode), fs, inode, transaction);
}

/** The same where the block is known. */
export function writeDinodeTo(buffer: Buffer, fs: FileSystem, inode: Inode, transaction: Transaction): void {
  inode.glock.space.neededSequence = fs.core.log.sequence;
  writeTimesTo(buffer, fs, inode, transaction);
}

/** The same when only times have changed, which fdatasync(2) leaves in memory (`I_DIRTY_SYNC`). */
export function writeTimesTo(buffer: Buffer, fs: FileSystem, inode: Inode, transaction: Transaction): void {
  fs.core.log.addMeta(transaction, buffer);
  encodeDinode(inode.di, buffer.data, buffer.view);
}

/**
 * Gives logical block `lblock` a place, and at most `most` behind it as far as they have none and the allocator finds them
 * side by side (`gfs2_iomap_alloc`). The tree is high enough. A block that has a place already is given as it is.
 */
export function allocExtent(change: TreeChange, lblock: number, most: number): Task<PlacedExtent> {
  return withTree(change.fs, change.inode, () => allocCached(change, lblock, most));
}

/** The same; the number of a block that has to be read first if one is not in the cache. */
export function allocCached(change: TreeChange, lblock: number, most: number): PlacedExtent | number {
  const { fs, inode, transaction, grant } = change;
  const { geometry, log } = fs.core;
  const { height } = inode.di;
  if (lblock >= blocksAtHeight(geometry, height)) {
    throw new AssertionError(`inode ${inode.addr} is not high enough for block ${lblock}`);
  }
  const path = findMetapath(geometry, height, lblock, PATH);
  let buffer = inode.uptodateBuffer;
  if (buffer === undefined) return inode.addr;
  for (let level = 0; level < height - 1; level++) {
    const block: number = getPointer(buffer.data, level, path[level]!);
    buffer = block !== 0 ? cachedIndirect(fs, inode, block) : addIndirect(change, buffer, level, path[level]!);
    // Nothing was changed by then: below a new block all are new.
    if (buffer === undefined) return block;
  }
  const index = path[height - 1]!;
  const run = runOfPointers(buffer, height - 1, index, pointerArea(geometry, height - 1).count, most);
  if (run.block !== 0) return { block: run.block, count: run.count, isNew: false };
  const { block, count } = fs.rgrps.alloc(transaction, grant, inode, run.count);
  log.addMeta(transaction, buffer);
  for (let i = 0; i < count; i++) setPointer(buffer.data, height - 1, index + i, block + i);
  inode.di.blocks += count;
  return { block, count, isNew: true };
}

/** Allocates an indirect block and hangs it under a pointer of `parent`. */
function addIndirect(change: TreeChange, parent: Buffer, level: number, index: number): Buffer {
  const { fs, transaction } = change;
  const buffer = newMetaBlock(change, META_TYPE.IN);
  fs.core.log.addMeta(transaction, parent);
  setPointer(parent.data, level, index, buffer.block);
  return buffer;
}

/** Allocates one block of metadata for the inode. */
export function newMetaBlock(
  { fs, inode, transaction, grant }: TreeChange,
  type: (typeof META_TYPE)['IN' | 'LF' | 'JD' | 'EA' | 'ED'],
): Buffer {
  const { block } = fs.rgrps.alloc(transaction, grant, inode, 1);
  const buffer = fs.core.cache.create(inode.glock.space, block);
  fs.core.log.addMeta(transaction, buffer);
  initMetaBlock(buffer.data, type);
  inode.di.blocks += 1;
  return buffer;
}

/**
 * Makes the tree higher: the dinode's pointers move down into a new block, under a chain of new ones
 * (`gfs2_iomap_alloc`, ALLOC_GROW_HEIGHT).
 */
export function* growHeight(change: TreeChange, height: number): Task {
  const { fs, inode, transaction } = change;
  const { geometry } = fs.core;
  const dinode = yield* fs.inodes.dinodeBuffer(inode);
  fs.core.log.addMeta(transaction, dinode);
  const pointers = dinode.data.slice(DINODE_BYTES, DINODE_BYTES + 8 * geometry.diptrs);
  let top = newMetaBlock(change, META_TYPE.IN);
  top.data.set(pointers, META_HEADER_BYTES);
  for (let level = inode.di.height + 1; level < height; level++) {
    const above = newMetaBlock(change, META_TYPE.IN);
    setPointer(above.data, 1, 0, top.block);
    top = above;
  }
  dinode.data.fill(0, DINODE_BYTES);
  setPointer(dinode.data, 0, 0, top.block);
  inode.di.height = height;
}

/** Moves stuffed content into a block of its own (`gfs2_unstuff_dinode`). An empty file gets none. */
export function* unstuff(change: TreeChange): Task {
  const { fs, inode, transaction, grant } = change;
  const dinode = yield* fs.inodes.dinodeBuffer(inode);
  const { size } = inode.di;
  let block = 0;
  if (size > 0 && isDirectory(inode.di)) {
    const buffer = newMetaBlock(change, META_TYPE.JD);
    buffer.data.set(dinode.data.subarray(DINODE_BYTES, DINODE_BYTES + size), META_HEADER_BYTES);
    block = buffer.block;
  } else if (size > 0) {
    block = fs.rgrps.alloc(transaction, grant, inode, 1).block;
    const buffer = fs.core.cache.create(inode.glock.space, block);
    buffer.data.set(dinode.data.subarray(DINODE_BYTES, DINODE_BYTES + size));
    addFileData(fs, inode, transaction, buffer);
    inode.di.blocks += 1;
  }
  fs.core.log.addMeta(transaction, dinode);
  dinode.data.fill(0, DINODE_BYTES);
  setPointer(dinode.data, 0, 0, block);
  inode.di.height = 1;
}
