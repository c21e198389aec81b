import type { Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import { getPointer, pointerArea, setPointer } from '../ondisk/metadata-tree.js';
import type { GlockedRgrp } from '../rgrp/glocked-rgrp.js';
import { isJournaled } from './data-block.js';
import type { Inode } from './inode.js';
import { setModified } from './times.js';
import { readIndirect, writeDinode } from './tree.js';

/**
 * Frees the logical blocks from `first` on and before `end`, from the bottom up and from right to left (`punch_hole`); without
 * `end` all that there are. Indirect blocks go when all below them is in that range.
 */
export function* punch(fs: FileSystem, inode: Inode, first: number, end: number = Infinity): Task {
  yield* fs.rgrps.update();
  const dinode = yield* fs.inodes.dinodeBuffer(inode);
  if (inode.di.height > 0) yield* punchBelow(fs, inode, { buffer: dinode, level: 0, base: 0 }, first, end);
}

/** A block of pointers in a tree, and the logical block that its first pointer leads to. */
interface TreeNode {
  readonly buffer: Buffer;
  readonly level: number;
  readonly base: number;
}

/** Frees what hangs under the pointers of a block. */
function* punchBelow(fs: FileSystem, inode: Inode, node: TreeNode, first: number, end: number): Task {
  const { geometry } = fs.core;
  const { height } = inode.di;
  const { buffer, level, base } = node;
  let span = 1;
  for (let below = level + 1; below < height; below++) span *= geometry.inptrs;
  const from = Math.max(0, Math.floor((first - base) / span));
  const to = Math.min(pointerArea(geometry, level).count, Math.ceil((end - base) / span));
  if (level < height - 1) {
    for (let index = to - 1; index >= from; index--) {
      const block = getPointer(buffer.data, level, index);
      if (block === 0) continue;
      const child = { buffer: yield* readIndirect(fs, inode, block), level: level + 1, base: base + index * span };
      yield* punchBelow(fs, inode, child, first, end);
    }
  }
  // The blocks at either end that may still lead to something stay.
  const keepsFirst = base + from * span < first ? 1 : 0;
  const keepsLast = base + to * span > end ? 1 : 0;
  const isLogged = level < height - 1 || isJournaled(inode);
  yield* freePointers(fs, inode, buffer, level, from + keepsFirst, to - keepsLast, isLogged);
}

/** Blocks side by side, and the pointers that lead to them. */
interface Run {
  readonly index: number;
  readonly block: number;
  readonly count: number;
}

/** Frees the blocks under the pointers from `from` on and before `to`, one transaction for each resource group in ascending order. */
function* freePointers(
  fs: FileSystem,
  inode: Inode,
  buffer: Buffer,
  level: number,
  from: number,
  to: number,
  isLogged: boolean,
): Task {
  const groups = new Map<GlockedRgrp, Run[]>();
  for (const run of runsOf(buffer, level, from, to)) {
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
        fs.rgrps.free(transaction, rgrp, block, count, inode);
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
