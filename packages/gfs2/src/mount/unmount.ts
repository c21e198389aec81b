import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { reclaimInode } from '../inode/evict.js';
import { syncQuotas } from '../quota/quotas.js';
import type { Recoveries } from '../recovery/recoveries.js';
import { contained, type Signal, wait } from '../scheduler.js';
import { type MountHold, releaseHold } from './mount.js';

/** What an unmount works on. */
export interface UnmountWork {
  readonly fs: FileSystem;
  readonly hold: MountHold;
  /** Nobody else has the file system mounted. */
  readonly isLast: boolean;
  readonly recoveries: Recoveries;
  /** Told whenever the DLM has answered something. */
  readonly answered: Signal;
}

/**
 * Ends a mount in good order (`gfs2_put_super`, `gfs2_make_fs_ro`): inodes leave memory, the figures are synced, the journal is
 * closed, every lock is given back.
 *
 * While a dead node's journal is not replayed locks are blocked, and the last mounter is the only one who can replay it: it
 * does so until it needs no more locks. Differs from Linux, which does so only while inodes leave memory (`evict_inodes`)
 * and refuses before it syncs the figures: a last mounter with blocked locks waits there for ever.
 *
 * A device that fails ends no unmount: what could not be done is left to the next one.
 */
export function* unmountFileSystem({ fs, hold, isLast, recoveries, answered }: UnmountWork): Task {
  const { core } = fs;
  core.scheduler.notify(fs.closing);
  if (!core.isReadOnly && isLast) yield* contained(reclaimAll(fs));
  yield* evictAll(fs, hold);
  if (!core.isReadOnly) {
    yield* contained(syncQuotas(fs));
    yield* contained(fs.statfs.syncAll(fs.system.statfsChanges.values()));
  }
  yield* recoveries.close();
  if (!core.isReadOnly) {
    yield* core.log.shutdown();
    core.scheduler.notify(core.log.daemonSignal);
  }
  yield* giveBackLocks(fs, hold, answered);
}

/** Deletes what is unlinked in the bitmaps: nobody else has the file system mounted, so nobody has it open. */
function* reclaimAll(fs: FileSystem): Task {
  yield* fs.rgrps.update();
  for (const rgrp of fs.rgrps.all) {
    const holder = yield* fs.rgrps.holdShared(rgrp);
    const blocks = rgrp.unlinkedDinodes();
    fs.core.locks.release(holder);
    for (const block of blocks) yield* reclaimInode(fs, block, 0);
  }
}

/** Takes every inode out of memory that the mount does not hold itself, and waits for those that are being deleted. */
function* evictAll(fs: FileSystem, hold: MountHold): Task {
  const kept = new Set(hold.inodes);
  for (;;) {
    const inode = [...fs.inodes.all].find((candidate) => !kept.has(candidate));
    if (inode === undefined) return;
    if (inode.state === 'ready' && inode.users === 0) fs.inodes.startEvict(inode);
    yield* wait(inode.changed);
  }
}

/** Lets everything go that the mount holds, and waits until the DLM has it back. */
export function* giveBackLocks(fs: FileSystem, hold: MountHold, answered: Signal): Task {
  releaseHold(fs, hold);
  fs.rgrps.clear();
  for (const inode of [...fs.inodes.all]) if (inode.state === 'ready' && inode.users === 0) fs.inodes.startEvict(inode);
  while (fs.inodes.size > 0) yield* wait([...fs.inodes.all][0]!.changed);
  for (const glock of [...fs.core.glocks.all]) fs.core.locks.input({ kind: 'demote', glock, state: 'UN' });
  while (!fs.core.glocks.isEmpty) yield* wait(answered);
}
