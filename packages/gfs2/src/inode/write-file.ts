import type { Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import type { Transaction } from '../log/log.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import { blocksAtHeight, heightFor } from '../ondisk/metadata-tree.js';
import { Refusal } from '../refusal.js';
import { addFileData, isJournaled } from './data-block.js';
import type { Inode } from './inode.js';
import { dropPrivileges } from './permission.js';
import { setModified } from './times.js';
import {
  allocCached,
  allocExtent,
  growHeight,
  indirectBlocksTouched,
  mapCached,
  mapExtent,
  type TreeChange,
  unstuff,
  withTree,
  writeDinodeTo,
} from './tree.js';

/** Most blocks written in one transaction; fewer of a file whose data goes through the journal. */
const MAX_CHUNK_BLOCKS = 512;
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

/**
 * Writes bytes at `offset`, in several transactions if they are many. The caller holds the glock EX.
 *
 * Gives the number of bytes written, which is less than asked when the disk is full on the way.
 *
 * @throws {Refusal} ENOSPC, EDQUOT when nothing could be written, EFBIG, EIO
 */
export function* writeFile(fs: FileSystem, inode: Inode, offset: number, bytes: Uint8Array): Task<number> {
  const { blockSize, maxStuffed } = fs.core.geometry;
  if (bytes.length === 0) return 0;
  if (!Number.isSafeInteger(offset + bytes.length)) throw new Refusal('EFBIG');
  if (inode.di.height === 0 && offset + bytes.length <= maxStuffed)
    return yield* writeStuffed(fs, inode, offset, bytes);
  let written = 0;
  let most = MAX_CHUNK_BLOCKS;
  while (written < bytes.length) {
    const at = offset + written;
    const chunk = Math.min(most, chunkBlocks(fs, inode, Math.floor(at / blockSize)));
    const room = chunk * blockSize - (at % blockSize);
    try {
      written += yield* writeChunk(fs, inode, at, bytes.subarray(written, written + room));
    } catch (error) {
      if (!(error instanceof Refusal) || (error.errno !== 'ENOSPC' && error.errno !== 'EDQUOT')) throw error;
      // Less may still fit.
      if (chunk > 1) most = Math.max(1, chunk >> 2);
      else if (written > 0) return written;
      else throw error;
    }
  }
  return written;
}

/** What is to change in the same transaction as the content: at most so many blocks, and how. */
export interface Companion {
  readonly blocks: number;
  change(transaction: Transaction): void;
}

const ALONE: Companion = { blocks: 0, change: () => {} };

/**
 * Writes in one transaction, which bytes of a few blocks are few enough for. The caller holds the glock EX.
 *
 * @throws {Refusal} ENOSPC, EIO
 */
export function* writeAtOnce(
  fs: FileSystem,
  inode: Inode,
  offset: number,
  bytes: Uint8Array,
  companion: Companion,
): Task {
  const isStuffed = inode.di.height === 0 && offset + bytes.length <= fs.core.geometry.maxStuffed;
  yield* (isStuffed ? writeStuffed : writeChunk)(fs, inode, offset, bytes, companion);
}

function* writeStuffed(
  fs: FileSystem,
  inode: Inode,
  offset: number,
  bytes: Uint8Array,
  companion: Companion = ALONE,
): Task<number> {
  const { log } = fs.core;
  const dinode = yield* fs.inodes.dinodeBuffer(inode);
  yield* log.transact(RES_DINODE + companion.blocks, 0, function* (transaction) {
    companion.change(transaction);
    log.addMeta(transaction, dinode);
    dinode.data.set(bytes, DINODE_BYTES + offset);
    yield* finish({ fs, inode, transaction }, offset + bytes.length);
  });
  return bytes.length;
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
function planCached(fs: FileSystem, inode: Inode, offset: number, length: number): Plan | number {
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

function* writeChunk(
  fs: FileSystem,
  inode: Inode,
  offset: number,
  bytes: Uint8Array,
  companion: Companion = ALONE,
): Task<number> {
  const cached = planCached(fs, inode, offset, bytes.length);
  const plan = typeof cached === 'number' ? yield* planChunk(fs, inode, offset, bytes.length) : cached;
  const { blockSize } = fs.core.geometry;
  const isWhole = offset % blockSize === 0 && bytes.length % blockSize === 0;
  if (!isWhole) yield* readPartialBlocks(fs, inode, plan, offset, bytes.length);
  if (plan.missing === 0 && inode.di.height > 0) return yield* overwrite(fs, inode, plan, offset, bytes, companion);
  const target = plan.missing + plan.indirect + (inode.di.height === 0 ? 1 : 0);
  yield* fs.quotas.check(fs, inode.di, target);
  yield* fs.rgrps.using(fs.rgrps.reservationOf(inode), target, (grant) => {
    const blocks = RES_DINODE + RES_STATFS + plan.indirect + fs.rgrps.bitmapBlocks(grant, target);
    const journaled = isJournaled(inode) ? plan.count + 1 : 0;
    return fs.core.log.transact(blocks + journaled + companion.blocks, 0, (transaction) => {
      companion.change(transaction);
      return allocateAndWrite({ fs, inode, transaction, grant }, plan, offset, bytes);
    });
  });
  return bytes.length;
}

function* allocateAndWrite(change: TreeChange, plan: Plan, offset: number, bytes: Uint8Array): Task {
  const { inode } = change;
  if (inode.di.height === 0) yield* unstuff(change);
  if (inode.di.height < plan.height) yield* growHeight(change, plan.height);
  for (let lblock = plan.first; lblock < plan.first + plan.count; ) {
    const most = plan.first + plan.count - lblock;
    const cached = allocCached(change, lblock, most);
    const extent = typeof cached === 'number' ? yield* allocExtent(change, lblock, most) : cached;
    for (let i = 0; i < extent.count; i++) {
      if (extent.isNew) writeNewBlock(change, lblock + i, extent.block + i, offset, bytes);
      else yield* writeBlock(change, lblock + i, extent.block + i, offset, bytes);
    }
    lblock += extent.count;
  }
  yield* finish(change, offset + bytes.length);
}

function* overwrite(
  fs: FileSystem,
  inode: Inode,
  plan: Plan,
  offset: number,
  bytes: Uint8Array,
  companion: Companion,
): Task<number> {
  const blocks = RES_DINODE + (isJournaled(inode) ? plan.count : 0) + companion.blocks;
  yield* fs.core.log.transact(blocks, 0, function* (transaction) {
    companion.change(transaction);
    const change = { fs, inode, transaction };
    for (let lblock = plan.first; lblock < plan.first + plan.count; ) {
      const extent = yield* mapExtent(fs, inode, lblock, plan.first + plan.count - lblock);
      for (let i = 0; i < extent.count; i++) {
        yield* writeBlock(change, lblock + i, extent.block + i, offset, bytes);
      }
      lblock += extent.count;
    }
    yield* finish(change, offset + bytes.length);
  });
  return bytes.length;
}

/** The blocks at either end that are not written whole must be in the cache before the transaction. */
function* readPartialBlocks(fs: FileSystem, inode: Inode, plan: Plan, offset: number, length: number): Task {
  if (inode.di.height === 0) return;
  const { blockSize } = fs.core.geometry;
  const last = plan.first + plan.count - 1;
  const isPartial = (lblock: number): boolean =>
    lblock * blockSize < offset || (lblock + 1) * blockSize > offset + length;
  for (const lblock of plan.count === 1 ? [last] : [plan.first, last]) {
    if (!isPartial(lblock)) continue;
    const { block } = yield* mapExtent(fs, inode, lblock, 1);
    if (block !== 0) yield* fs.core.cache.read(inode.glock.space, block);
  }
}

function* writeBlock(
  { fs, inode, transaction }: Omit<TreeChange, 'grant'>,
  lblock: number,
  block: number,
  offset: number,
  bytes: Uint8Array,
): Task {
  const { cache, geometry } = fs.core;
  const { space } = inode.glock;
  const at = lblock * geometry.blockSize;
  const isWhole = offset <= at && offset + bytes.length >= at + geometry.blockSize;
  const isOverwritten = isWhole && cache.get(block) === undefined;
  const buffer = isOverwritten ? cache.create(space, block) : yield* cache.read(space, block);
  addFileData(fs, inode, transaction, buffer);
  fill(buffer, at, offset, bytes);
}

function writeNewBlock(
  { fs, inode, transaction }: TreeChange,
  lblock: number,
  block: number,
  offset: number,
  bytes: Uint8Array,
): void {
  const buffer = fs.core.cache.create(inode.glock.space, block);
  addFileData(fs, inode, transaction, buffer);
  fill(buffer, lblock * fs.core.geometry.blockSize, offset, bytes);
}

/** Puts the part of what is written at `offset` that belongs into the block at `at` of the file there. */
function fill({ data }: Buffer, at: number, offset: number, bytes: Uint8Array): void {
  const from = Math.max(0, at - offset);
  const to = Math.min(bytes.length, at + data.length - offset);
  data.set(bytes.subarray(from, to), offset + from - at);
}

function* finish({ fs, inode, transaction }: Omit<TreeChange, 'grant'>, end: number): Task {
  inode.di.size = Math.max(inode.di.size, end);
  dropPrivileges(fs, inode);
  setModified(fs, inode);
  writeDinodeTo(inode.uptodateBuffer ?? (yield* fs.inodes.dinodeBuffer(inode)), fs, inode, transaction);
}
