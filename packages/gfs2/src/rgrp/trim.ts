import type { Task } from '@quorate/kernel';
import { Batch } from '../disk.js';
import type { FileSystem } from '../filesystem.js';
import { RGF } from '../ondisk/rgrp-header.js';
import { Refusal } from '../refusal.js';
import type { GlockedRgrp } from './glocked-rgrp.js';

/** What is to be looked at: blocks from `start` on and before `end`, and the shortest run that is worth a discard. */
export interface TrimRange {
  readonly start: number;
  readonly end: number;
  readonly minBlocks: number;
}

/**
 * Tells the disk which blocks are free, and gives their number (`gfs2_fitrim`). As in the original the range decides about whole
 * resource groups, and one in which nothing was freed since the last time is passed by.
 *
 * @throws {Refusal} EINVAL for a range behind the file system, EOPNOTSUPP when the disk cannot, EIO
 */
export function* trim(fs: FileSystem, { start, end, minBlocks }: TrimRange): Task<number> {
  const { all } = fs.rgrps;
  if (end <= start || minBlocks > Math.max(...all.map(({ rindex }) => rindex.data))) throw new Refusal('EINVAL');
  const inRange = all.filter(({ rindex }) => rindex.data0 + rindex.data > start && rindex.addr < end);
  if (inRange.length === 0) throw new Refusal('EINVAL');
  let blocks = 0;
  for (const rgrp of inRange) blocks += yield* trimGroup(fs, rgrp, minBlocks);
  return blocks;
}

function* trimGroup(fs: FileSystem, rgrp: GlockedRgrp, minBlocks: number): Task<number> {
  // Nobody on this node may allocate either: a discard must not come behind what is written there next.
  const holder = yield* fs.rgrps.holdAlone(rgrp);
  try {
    if ((rgrp.flags & RGF.TRIMMED) !== 0) return 0;
    const blocks = yield* discardFree(fs, rgrp, minBlocks);
    yield* fs.core.log.transact(1, 0, function* (transaction) {
      fs.rgrps.setTrimmed(transaction, rgrp);
    });
    return blocks;
  } finally {
    fs.core.locks.release(holder);
  }
}

/** What was freed and is not committed yet counts as taken (`gfs2_rgrp_send_discards`). */
function* discardFree(fs: FileSystem, rgrp: GlockedRgrp, minBlocks: number): Task<number> {
  const { disk, scheduler } = fs.core;
  const batch = new Batch(scheduler);
  let blocks = 0;
  for (const bi of rgrp.bits) {
    for (let at = bi.findFree(bi.first); at < bi.end; ) {
      const end = bi.findUsed(at, bi.end);
      if (end - at >= minBlocks) {
        disk.discard(rgrp.rindex.data0 + at, end - at, batch.expect());
        blocks += end - at;
      }
      at = end < bi.end ? bi.findFree(end) : bi.end;
    }
  }
  const error = yield* batch.finish();
  if (error !== undefined) throw new Refusal(error === 'EOPNOTSUPP' ? 'EOPNOTSUPP' : 'EIO');
  return blocks;
}
