import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { waitUntil } from '../scheduler.js';
import { syncQuotas } from './quotas.js';

/** Brings this node's changes to the `quota` file every `quota_quantum=` seconds (`gfs2_quotad`). */
export function* quotaDaemon(fs: FileSystem): Task {
  const { core } = fs;
  while (core.log.isLive) {
    if (yield* waitUntil(fs.closing, core.now + core.options.quotaQuantum)) return;
    if (core.log.isLive) yield* syncQuotas(fs);
  }
}
