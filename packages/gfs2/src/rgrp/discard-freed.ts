import type { Task } from '@quorate/kernel';
import { Batch } from '../disk.js';
import type { FileSystem } from '../filesystem.js';

/**
 * Tells the disk what a log flush has freed, before it may be given out again (`discard`; `maybe_release_space`,
 * `gfs2_rgrp_send_discards`). A disk that refuses is not asked any more.
 */
export function* discardFreed({ core, rgrps }: FileSystem): Task {
  if (!core.options.isDiscarding) return;
  const batch = new Batch(core.scheduler);
  for (const rgrp of rgrps.all) {
    for (const bi of rgrp.bits) {
      for (const [from, to] of bi.freed()) core.disk.discard(rgrp.rindex.data0 + from, to - from, batch.expect());
    }
  }
  const error = yield* batch.finish();
  if (error === undefined || core.isWithdrawn) return;
  const errno = error === 'EOPNOTSUPP' ? EOPNOTSUPP : EIO;
  core.print('warning', `error -${errno} on discard request, turning discards off for this filesystem`);
  core.options = { ...core.options, isDiscarding: false };
}

/** Numbers of errors, for the text. */
const EIO = 5;
const EOPNOTSUPP = 95;
