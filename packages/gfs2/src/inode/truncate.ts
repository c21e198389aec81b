import type { Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import type { Transaction } from '../log/log.js';
import { DIF } from '../ondisk/dinode.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import { getPointer, pointerArea, setPointer } from '../ondisk/metadata-tree.js';
import type { GlockedRgrp } from '../rgrp/glocked-rgrp.js';
import { addFileData, isJournaled } from './data-block.js';
import type { Inode } from './inode.js';
import { setModified } from './times.js';
import { mapExtent, readIndirect, unstuff, writeDinode } from './tree.js';

/** Sets the size of a file. The caller holds the glock EX. @throws {Refusal} ENOSPC, EIO */
export function* setSize(fs: FileSystem, inode: Inode, size: number): Task {
  if (size > inode.di.size) yield* extend(fs, inode, size);
  else if (size < inode.di.size) yield* shrink(fs, inode, size);
}

/** Makes a file longer; what is new is a hole (`do_grow`). */
function* extend(fs: FileSystem, inode: Inode, size: number): Task {
  const { log, geometry } = fs.core;
  const setEnd = function* (transaction: Transaction): Task {
    inode.di.size = size;
    setModified(fs, inode);
    yield* writeDinode(fs, inode, transaction);
  };
  if (inode.di.height > 0 || size <= geometry.maxStuffed) return yield* log.transact(1, 0, setEnd);
  yield* fs.rgrps.using(fs.rgrps.reservationOf(inode), 1, (grant) =>
    log.transact(3 + fs.rgrps.bitmapBlocks(grant, 1), 0, function* (transaction) {
      yield* unstuff({ fs, inode, transaction, grant });
      yield* setEnd(transaction);
    }),
  );
}

/** Makes a file shorter (`do_shrink`): first the size, then the blocks, so that a crash in between loses nothing. */
function* shrink(fs: FileSystem, inode: Inode, size: number): Task {
  yield* startTruncate(fs, inode, size);
  if (inode.di.height > 0) yield* finishTruncate(fs, inode);
}

/** Frees the blocks behind the size and ends the truncation; also for one that another node began. */
export function* finishTruncate(fs: FileSystem, inode: Inode): Task {
  yield* punch(fs, inode, Math.ceil(inode.di.size / fs.core.geometry.blockSize));
  yield* fs.core.log.transact(1, 0, function* (transaction) {
    const { di } = inode;
    di.flags = (di.flags & ~DIF.TRUNC_IN_PROG) >>> 0;
    if (di.size === 0) {
      di.height = 0;
      di.goalMeta = di.goalData = di.addr;
    }
    const buffer = yield* fs.inodes.dinodeBuffer(inode);
    fs.core.log.addMeta(transaction, buffer);
    if (di.height === 0) buffer.data.fill(0, DINODE_BYTES);
    yield* writeDinode(fs, inode, transaction);
  });
}

/** The transaction that makes the file shorter (`trunc_start`). */
function* startTruncate(fs: FileSystem, inode: Inode, size: number): Task {
  const { log, geometry } = fs.core;
  const dinode = yield* fs.inodes.dinodeBuffer(inode);
  const tail = inode.di.height > 0 ? yield* tailBlock(fs, inode, size) : undefined;
  yield* log.transact(2, 0, function* (transaction) {
    log.addMeta(transaction, dinode);
    if (inode.di.height === 0) dinode.data.fill(0, DINODE_BYTES + size);
    else inode.di.flags = (inode.di.flags | DIF.TRUNC_IN_PROG) >>> 0;
    if (tail !== undefined) {
      addFileData(fs, inode, transaction, tail);
      tail.data.fill(0, size % geometry.blockSize);
    }
    inode.di.size = size;
    setModified(fs, inode);
    yield* writeDinode(fs, inode, transaction);
  });
}

/** The block in which the file will end, if its end is inside one. */
function* tailBlock(fs: FileSystem, inode: Inode, size: number): Task<Buffer | undefined> {
  const { blockSize } = fs.core.geometry;
  if (size % blockSize === 0) return undefined;
  const { block } = yield* mapExtent(fs, inode, Math.floor(size / blockSize), 1);
  return block === 0 ? undefined : yield* fs.core.cache.read(inode.glock.space, block);
}

/** Frees every block from logical block `first` on, from the bottom up and from right to left (`punch_hole`). */
export function* punch(fs: FileSystem, inode: Inode, first: number): Task {
  const dinode = yield* fs.inodes.dinodeBuffer(inode);
  if (inode.di.height > 0) yield* punchBelow(fs, inode, dinode, 0, 0, first);
}

/** Frees what hangs under the pointers of `buffer`, whose first pointer leads to logical block `base`. */
function* punchBelow(fs: FileSystem, inode: Inode, buffer: Buffer, level: number, base: number, first: number): Task {
  const { geometry } = fs.core;
  const { height } = inode.di;
  let span = 1;
  for (let below = level + 1; below < height; below++) span *= geometry.inptrs;
  const { count } = pointerArea(geometry, level);
  const from = Math.max(0, Math.floor((first - base) / span));
  if (level < height - 1) {
    for (let index = count - 1; index >= from; index--) {
      const block = getPointer(buffer.data, level, index);
      if (block === 0) continue;
      const child = yield* readIndirect(fs, inode, block);
      yield* punchBelow(fs, inode, child, level + 1, base + index * span, first);
    }
  }
  // The block that still leads to something stays.
  const keeps = base + from * span < first ? 1 : 0;
  yield* freePointers(fs, inode, buffer, level, from + keeps, level < height - 1 || isJournaled(inode));
}

/** Blocks side by side, and the pointers that lead to them. */
interface Run {
  readonly index: number;
  readonly block: number;
  readonly count: number;
}

/** Frees the blocks under the pointers from `from` on, one transaction for each resource group in ascending order. */
function* freePointers(
  fs: FileSystem,
  inode: Inode,
  buffer: Buffer,
  level: number,
  from: number,
  isLogged: boolean,
): Task {
  const groups = new Map<GlockedRgrp, Run[]>();
  for (const run of runsOf(buffer, level, from, pointerArea(fs.core.geometry, level).count)) {
    for (const part of fs.rgrps.split(run.block, run.count)) {
      const runs = groups.get(part.rgrp) ?? [];
      runs.push({ index: run.index + part.block - run.block, block: part.block, count: part.count });
      groups.set(part.rgrp, runs);
    }
  }
  const ascending = [...groups].sort(([a], [b]) => a.addr - b.addr);
  for (const [rgrp, runs] of ascending) yield* freeRuns(fs, inode, buffer, level, rgrp, runs, isLogged);
}

function runsOf(buffer: Buffer, level: number, from: number, end: number): Run[] {
  const runs: Run[] = [];
  for (let index = from; index < end; ) {
    const block = getPointer(buffer.data, level, index);
    let count = 1;
    while (block !== 0 && index + count < end && getPointer(buffer.data, level, index + count) === block + count)
      count++;
    if (block !== 0) runs.push({ index, block, count });
    index += count;
  }
  return runs;
}

function* freeRuns(
  fs: FileSystem,
  inode: Inode,
  buffer: Buffer,
  level: number,
  rgrp: GlockedRgrp,
  runs: readonly Run[],
  isLogged: boolean,
): Task {
  const { log } = fs.core;
  const total = runs.reduce((sum, { count }) => sum + count, 0);
  const holder = yield* fs.rgrps.hold(rgrp);
  try {
    const blocks = 3 + fs.rgrps.bitmapBlocksOf(rgrp, total);
    yield* log.transact(blocks, isLogged ? total : 0, function* (transaction) {
      log.addMeta(transaction, buffer);
      for (const { index, block, count } of runs) {
        fs.rgrps.free(transaction, rgrp, block, count);
        log.wipe(block, count);
        for (let i = 0; i < count; i++) setPointer(buffer.data, level, index + i, 0);
      }
      inode.di.blocks -= total;
      setModified(fs, inode);
      yield* writeDinode(fs, inode, transaction);
    });
  } finally {
    fs.core.locks.release(holder);
  }
}
