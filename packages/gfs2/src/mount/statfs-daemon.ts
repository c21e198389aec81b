import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { waitUntil } from '../scheduler.js';

/** Brings this node's changes of the figures to the master file every `statfs_quantum=` seconds (`gfs2_quotad`). */
export function* statfsDaemon(fs: FileSystem): Task {
  const { core } = fs;
  while (core.log.isLive) {
    if (yield* waitUntil(fs.closing, core.now + core.options.statfsQuantum)) return;
    const { total, free, dinodes } = fs.statfs.local;
    if (core.log.isLive && (total !== 0 || free !== 0 || dinodes !== 0)) yield* fs.statfs.sync();
  }
}
