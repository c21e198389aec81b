import type { FileSystem } from '../filesystem.js';
import type { Inode } from './inode.js';

/** Content has changed: mtime and ctime. */
export function setModified(fs: FileSystem, inode: Inode): void {
  const { sec, nsec } = fs.core.wall();
  const { di } = inode;
  di.mtime = di.ctime = sec;
  di.mtimeNsec = di.ctimeNsec = nsec;
}

/** Something else about the inode has changed: ctime. */
export function setChanged(fs: FileSystem, inode: Inode): void {
  const { sec, nsec } = fs.core.wall();
  inode.di.ctime = sec;
  inode.di.ctimeNsec = nsec;
}
