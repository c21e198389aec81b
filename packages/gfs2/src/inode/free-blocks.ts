import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import type { Holder } from '../glock/glock.js';
import type { Transaction } from '../log/log.js';
import type { GlockedRgrp } from '../rgrp/glocked-rgrp.js';
import type { Inode } from './inode.js';
import { writeDinode } from './tree.js';

/**
 * Frees metadata blocks of an inode in one transaction, with all their resource groups locked in ascending order. `body` may
 * change `extra` further blocks in it. The caller holds the inode's glock EX.
 */
export function* freeMetaBlocks(
  fs: FileSystem,
  inode: Inode,
  blocks: readonly number[],
  extra: number,
  body: (transaction: Transaction) => Task,
): Task {
  yield* fs.rgrps.update();
  const groups = groupByRgrp(fs, blocks);
  const holders: Holder[] = [];
  try {
    let changed = 2 + extra;
    for (const [rgrp, own] of groups) {
      holders.push(yield* fs.rgrps.hold(rgrp));
      changed += 1 + fs.rgrps.bitmapBlocksOf(rgrp, own.length);
    }
    yield* fs.core.log.transact(changed, blocks.length, function* (transaction) {
      for (const [rgrp, own] of groups) {
        for (const block of own) {
          fs.rgrps.free(transaction, rgrp, block, 1, inode);
          fs.core.log.wipe(block, 1);
        }
      }
      inode.di.blocks -= blocks.length;
      yield* body(transaction);
      yield* writeDinode(fs, inode, transaction);
    });
  } finally {
    for (const holder of holders.reverse()) fs.core.locks.release(holder);
  }
}

function groupByRgrp(fs: FileSystem, blocks: readonly number[]): [GlockedRgrp, number[]][] {
  const groups = new Map<GlockedRgrp, number[]>();
  for (const block of blocks) {
    const rgrp = fs.rgrps.find(block);
    if (rgrp === undefined) return fs.core.inconsistent(`block ${block} is in no resource group`);
    const own = groups.get(rgrp);
    if (own === undefined) groups.set(rgrp, [block]);
    else own.push(block);
  }
  return [...groups].sort(([a], [b]) => a.addr - b.addr);
}
