import type { Task } from '@quorate/kernel';
import type { Growth } from '../calls/operation.js';
import type { FileSystem } from '../filesystem.js';
import { allocateRange } from '../inode/allocate-range.js';
import { writeAtOnce } from '../inode/write-chunk.js';
import { type PlacedRgrp, planGrowth } from '../mkfs/rgrp-plan.js';
import { encodeRindexEntry, RINDEX_ENTRY_BYTES } from '../ondisk/rindex.js';
import type { GlockedRgrp } from '../rgrp/glocked-rgrp.js';
import { takeNewEntries } from '../rgrp/read-rindex.js';

/** Records that one transaction adds to `rindex`: 47 KiB. */
const ENTRIES_AT_ONCE = 500;

/**
 * Takes the rest of a device that has become larger (`gfs2_grow`). First the new groups are written, where nobody looks yet, then
 * `rindex` gets their records: other nodes read it when they come to allocate or to free next.
 *
 * Differs from the original, where the blocks of a new group are counted after its record was written (`adjust_fs_space`): here
 * both are one transaction.
 *
 * @throws {Refusal} ENOSPC when there is no block for `rindex`, EIO
 */
export function* grow(fs: FileSystem, deviceBlocks: number): Task<Growth> {
  const holder = yield* fs.inodes.lock(fs.system.rindex, 'EX');
  try {
    yield* takeNewEntries(fs);
    const last = fs.rgrps.all.at(-1)!;
    const before = endOf(last.rindex);
    const placed = planGrowth(fs.core.geometry, before, deviceBlocks);
    if (placed.length === 0) return { before, after: before, rgrps: 0 };
    yield* fs.rgrps.make(placed);
    // The first alone: for one there is room even if all blocks are taken, and then there are free ones.
    yield* addEntries(fs, last, placed.slice(0, 1));
    for (let i = 1; i < placed.length; i += ENTRIES_AT_ONCE) {
      yield* addEntries(fs, undefined, placed.slice(i, i + ENTRIES_AT_ONCE));
    }
    // Room for the first record of the next time.
    yield* allocateRange(fs, fs.system.rindex, fs.system.rindex.di.size, RINDEX_ENTRY_BYTES, false);
    return { before, after: endOf(placed.at(-1)!.rindex), rgrps: placed.length };
  } finally {
    fs.inodes.unlock(holder);
  }
}

function endOf({ data0, data }: PlacedRgrp['rindex']): number {
  return data0 + data;
}

/** Adds records to `rindex`, and their blocks to the figures. `before` is the group that was the last one. */
function* addEntries(fs: FileSystem, before: GlockedRgrp | undefined, placed: readonly PlacedRgrp[]): Task {
  const entries = placed.map(({ rindex }) => rindex);
  const bytes = new Uint8Array(entries.length * RINDEX_ENTRY_BYTES);
  for (const [i, entry] of entries.entries()) encodeRindexEntry(entry, bytes, i * RINDEX_ENTRY_BYTES);
  const blocks = entries.reduce((sum, { data }) => sum + data, 0);
  const held = before === undefined ? undefined : yield* fs.rgrps.hold(before);
  try {
    yield* writeAtOnce(fs, fs.system.rindex, fs.system.rindex.di.size, bytes, {
      blocks: 2,
      change: (transaction) => {
        fs.statfs.change(transaction, blocks, blocks, 0);
        if (before !== undefined) fs.rgrps.setSkip(transaction, before, entries[0]!.addr);
      },
    });
  } finally {
    if (held !== undefined) fs.core.locks.release(held);
  }
  fs.rgrps.addToIndex(entries);
}
