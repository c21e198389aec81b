import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { HolderFlag } from '../glock/glock.js';
import { DIF, isDirectory } from '../ondisk/dinode.js';
import type { Inode } from './inode.js';
import { writeTimesTo } from './tree.js';

/** With `relatime` a time of access that is not older than the last change is renewed after a day. */
const DAY_SEC = 24 * 60 * 60;

/**
 * Notes that an inode is read, if the mount options want that (`touch_atime`). That takes its glock exclusive, which is what makes
 * it dear in a cluster; a file system that is frozen is left as it is.
 */
export function* touchAtime(fs: FileSystem, inode: Inode): Task {
  const { options, isReadOnly, locks, log } = fs.core;
  if (options.atime === 'never' || isReadOnly || log.isFrozen) return;
  const shared = yield* fs.inodes.lock(inode, 'SH', HolderFlag.ANY);
  const isWanted = isDue(fs, inode);
  locks.release(shared);
  if (!isWanted) return;
  const holder = yield* fs.inodes.lock(inode, 'EX');
  try {
    if (!isDue(fs, inode) || log.isFrozen) return;
    yield* log.transact(1, 0, function* (transaction) {
      ({ sec: inode.di.atime, nsec: inode.di.atimeNsec } = fs.core.wall());
      writeTimesTo(yield* fs.inodes.dinodeBuffer(inode), fs, inode, transaction);
    });
  } finally {
    locks.release(holder);
  }
}

/** `relatime_need_update` */
function isDue(fs: FileSystem, { di }: Inode): boolean {
  const { atime, isNodiratime } = fs.core.options;
  if ((di.flags & DIF.NOATIME) !== 0 || (isNodiratime && isDirectory(di))) return false;
  const now = fs.core.wall();
  if (atime === 'always') return di.atime !== now.sec || di.atimeNsec !== now.nsec;
  const isBefore = (sec: number, nsec: number): boolean => di.atime < sec || (di.atime === sec && di.atimeNsec <= nsec);
  return isBefore(di.mtime, di.mtimeNsec) || isBefore(di.ctime, di.ctimeNsec) || now.sec - di.atime >= DAY_SEC;
}
