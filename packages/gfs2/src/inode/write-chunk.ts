import { AssertionError, type Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import type { Transaction } from '../log/log.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import {
  chunkBlocks,
  newBlocks,
  overwriteBlocks,
  type Plan,
  partialBlocks,
  planCached,
  planChunk,
  RES_DINODE,
  targetOf,
} from './chunk-plan.js';
import { addFileData, isJournaled } from './data-block.js';
import type { Inode } from './inode.js';
import { dropPrivileges } from './permission.js';
import { setModified } from './times.js';
import {
  allocCached,
  allocExtent,
  growHeight,
  mapCached,
  mapExtent,
  type TreeChange,
  unstuff,
  writeDinodeTo,
  writeTimesTo,
} from './tree.js';

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
  if (inode.di.height === 0 && offset + bytes.length <= fs.core.geometry.maxStuffed) {
    yield* writeStuffed(fs, inode, offset, bytes, companion);
    return;
  }
  const plan = yield* planChunk(fs, inode, offset, bytes.length);
  yield* writeChunk(fs, inode, plan, offset, bytes, companion);
}

/** Writes bytes that stay in the dinode. */
export function* writeStuffed(
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
    yield* finish({ fs, inode, transaction }, offset + bytes.length, 'needed');
  });
  return bytes.length;
}

/** What a change that takes no blocks needs at hand. */
type Change = Omit<TreeChange, 'grant'>;

/**
 * Writes bytes as planned, in one transaction. The caller holds the glock EX.
 *
 * @throws {Refusal} ENOSPC, EIO
 */
export function* writeChunk(
  fs: FileSystem,
  inode: Inode,
  plan: Plan,
  offset: number,
  bytes: Uint8Array,
  companion: Companion = ALONE,
): Task<number> {
  yield* readPartialBlocks(fs, inode, plan, offset, bytes.length);
  const target = targetOf(inode, plan);
  if (target === 0) return yield* overwrite(fs, inode, plan, offset, bytes, companion);
  yield* fs.rgrps.using(fs.rgrps.reservationOf(inode), target, (grant) => {
    const blocks = newBlocks(fs, inode, plan, grant) + companion.blocks;
    return fs.core.log.transact(blocks, 0, (transaction) => {
      companion.change(transaction);
      return allocateAndWrite({ fs, inode, transaction, grant }, plan, offset, bytes);
    });
  });
  return bytes.length;
}

/**
 * `writeFile` in one transaction, if all that it needs is in memory and nobody has to be waited for; else undefined, and nothing was
 * done.
 */
export function writeNow(fs: FileSystem, inode: Inode, offset: number, bytes: Uint8Array): number | undefined {
  const { geometry, log } = fs.core;
  const { height } = inode.di;
  if (height === 0 || bytes.length === 0 || fs.quotaChanges.isInUse) return undefined;
  if (!Number.isSafeInteger(offset + bytes.length)) return undefined;
  const most = chunkBlocks(fs, inode, Math.floor(offset / geometry.blockSize)) * geometry.blockSize;
  if ((offset % geometry.blockSize) + bytes.length > most) return undefined;
  const plan = planCached(fs, inode, offset, bytes.length);
  if (typeof plan === 'number' || plan.height > height || !hasPartialBlocks(fs, inode, plan, offset, bytes.length))
    return undefined;
  const grant =
    plan.missing === 0 ? undefined : fs.rgrps.reserveNow(fs.rgrps.reservationOf(inode), targetOf(inode, plan));
  if (plan.missing > 0 && grant === undefined) return undefined;
  try {
    const transaction = log.beginNow(
      plan.missing === 0 ? overwriteBlocks(inode, plan) : newBlocks(fs, inode, plan, grant),
    );
    if (transaction === undefined) return undefined;
    try {
      writeCached({ fs, inode, transaction, grant }, plan, offset, bytes);
    } finally {
      log.end(transaction);
    }
  } finally {
    if (grant !== undefined) fs.rgrps.release(grant);
  }
  return bytes.length;
}

/** Writes a chunk of a tree that is high enough, all of it in memory. */
function writeCached(change: TreeChange, plan: Plan, offset: number, bytes: Uint8Array): void {
  const { fs, inode } = change;
  for (let lblock = plan.first; lblock < plan.first + plan.count; ) {
    const extent = allocCached(change, lblock, plan.first + plan.count - lblock);
    if (typeof extent === 'number') throw new AssertionError(`block ${extent} of inode ${inode.addr} has left memory`);
    for (let i = 0; i < extent.count; i++) {
      const block = extent.block + i;
      const cached = extent.isNew ? undefined : fs.core.cache.getIn(inode.glock.space, block);
      if (cached === undefined) writeNewBlock(change, lblock + i, block, offset, bytes);
      else writeInto(cached, change, lblock + i, offset, bytes);
    }
    lblock += extent.count;
  }
  finishIn(
    inode.uptodateBuffer!,
    change,
    offset + bytes.length,
    plan.missing === 0 ? partOfOverwrite(inode) : 'needed',
  );
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
  yield* finish(change, offset + bytes.length, 'needed');
}

function* overwrite(
  fs: FileSystem,
  inode: Inode,
  plan: Plan,
  offset: number,
  bytes: Uint8Array,
  companion: Companion,
): Task<number> {
  yield* fs.core.log.transact(overwriteBlocks(inode, plan) + companion.blocks, 0, function* (transaction) {
    companion.change(transaction);
    const change = { fs, inode, transaction };
    for (let lblock = plan.first; lblock < plan.first + plan.count; ) {
      const extent = yield* mapExtent(fs, inode, lblock, plan.first + plan.count - lblock);
      for (let i = 0; i < extent.count; i++) {
        yield* writeBlock(change, lblock + i, extent.block + i, offset, bytes);
      }
      lblock += extent.count;
    }
    yield* finish(change, offset + bytes.length, partOfOverwrite(inode));
  });
  return bytes.length;
}

/** The blocks at either end that are not written whole must be in the cache before the transaction. */
function* readPartialBlocks(fs: FileSystem, inode: Inode, plan: Plan, offset: number, length: number): Task {
  if (inode.di.height === 0) return;
  for (const lblock of partialBlocks(fs, plan, offset, length)) {
    const { block } = yield* mapExtent(fs, inode, lblock, 1);
    if (block !== 0) yield* fs.core.cache.read(inode.glock.space, block);
  }
}

/** Whether they are there. The tree is in memory. */
function hasPartialBlocks(fs: FileSystem, inode: Inode, plan: Plan, offset: number, length: number): boolean {
  for (const lblock of partialBlocks(fs, plan, offset, length)) {
    const extent = mapCached(fs, inode, lblock, 1);
    if (typeof extent === 'number') return false;
    if (extent.block !== 0 && fs.core.cache.getIn(inode.glock.space, extent.block) === undefined) return false;
  }
  return true;
}

function* writeBlock(change: Change, lblock: number, block: number, offset: number, bytes: Uint8Array): Task {
  const { fs, inode } = change;
  const { cache } = fs.core;
  const isOverwritten = isWhole(fs, lblock, offset, bytes) && cache.get(block) === undefined;
  if (isOverwritten) writeNewBlock(change, lblock, block, offset, bytes);
  else writeInto(yield* cache.read(inode.glock.space, block), change, lblock, offset, bytes);
}

/** Writes a block that nothing is to be kept of. */
function writeNewBlock(change: Change, lblock: number, block: number, offset: number, bytes: Uint8Array): void {
  const { fs, inode } = change;
  const { cache } = fs.core;
  const { space } = inode.glock;
  const isFilled = isWhole(fs, lblock, offset, bytes);
  writeInto(isFilled ? cache.createUnfilled(space, block) : cache.create(space, block), change, lblock, offset, bytes);
}

function isWhole(fs: FileSystem, lblock: number, offset: number, bytes: Uint8Array): boolean {
  const { blockSize } = fs.core.geometry;
  const at = lblock * blockSize;
  return offset <= at && offset + bytes.length >= at + blockSize;
}

function writeInto(
  buffer: Buffer,
  { fs, inode, transaction }: Change,
  lblock: number,
  offset: number,
  bytes: Uint8Array,
): void {
  addFileData(fs, inode, transaction, buffer);
  fill(buffer, lblock * fs.core.geometry.blockSize, offset, bytes);
}

/** Puts the part of what is written at `offset` that belongs into the block at `at` of the file there. */
function fill({ data }: Buffer, at: number, offset: number, bytes: Uint8Array): void {
  const from = Math.max(0, at - offset);
  const to = Math.min(bytes.length, at + data.length - offset);
  data.set(to - from === bytes.length ? bytes : bytes.subarray(from, to), offset + from - at);
}

/** What of a write is in the dinode: what leads to the data, or the data itself; or nothing but times. */
type DinodePart = 'needed' | 'times';

/** Of a write into places that the file has already. */
function partOfOverwrite(inode: Inode): DinodePart {
  return isJournaled(inode) ? 'needed' : 'times';
}

function* finish(change: Change, end: number, part: DinodePart): Task {
  finishIn(yield* change.fs.inodes.dinodeBuffer(change.inode), change, end, part);
}

function finishIn(dinode: Buffer, { fs, inode, transaction }: Change, end: number, part: DinodePart): void {
  const isLonger = end > inode.di.size;
  if (isLonger) inode.di.size = end;
  dropPrivileges(fs, inode);
  setModified(fs, inode);
  (isLonger || part === 'needed' ? writeDinodeTo : writeTimesTo)(dinode, fs, inode, transaction);
}
