import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { HolderFlag } from '../glock/glock.js';
import type { Inode } from '../inode/inode.js';
import { readFile } from '../inode/read-file.js';
import { setSize } from '../inode/truncate.js';
import { writeFile } from '../inode/write-file.js';
import { createInode } from '../namei/create.js';
import { lookup, MAX_LINKS, readLink, walk, walkToParent } from '../namei/walk.js';
import { type Dinode, isDirectory, isRegular, isSymlink, MODE } from '../ondisk/dinode.js';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { type FsErrno, Refusal } from '../refusal.js';
import type { Descriptors } from './descriptors.js';
import { unflock } from './flock.js';
import type { Fd, OpenFlags, Stat } from './operation.js';

/** Takes the locks of an inode for one call and gives them back. */
export function* withInode<T>(fs: FileSystem, inode: Inode, state: 'SH' | 'EX', body: () => Task<T>): Task<T> {
  const holder = yield* fs.inodes.lock(inode, state, state === 'SH' ? HolderFlag.ANY : 0);
  try {
    return yield* body();
  } finally {
    fs.inodes.unlock(holder);
  }
}

/** Finds a file, or makes it. @throws {Refusal} ENOENT, EEXIST, EISDIR, ELOOP, … */
export function* openFile(
  fs: FileSystem,
  descriptors: Descriptors,
  path: string,
  flags: OpenFlags,
  mode: number,
  process = 0,
): Task<Fd> {
  const inode = yield* findOrCreate(fs, path, flags, mode);
  let isOpen = false;
  try {
    const mayWrite = (flags.write ?? false) || (flags.append ?? false) || (flags.truncate ?? false);
    yield* withInode(fs, inode, 'SH', () => checkOpen(fs, inode, mayWrite));
    if (flags.truncate) yield* withInode(fs, inode, 'EX', () => setSize(fs, inode, 0));
    isOpen = true;
    if (mayWrite) inode.writers += 1;
    return descriptors.add({ inode, flags, mayWrite, process, flock: undefined });
  } finally {
    if (!isOpen) fs.inodes.put(inode);
  }
}

/** Ends a use of a file; after the last one that may write, nothing is kept clear for it any more. @throws {Refusal} EBADF */
export function closeFile(fs: FileSystem, descriptors: Descriptors, fd: Fd): void {
  const file = descriptors.remove(fd);
  const { inode, mayWrite } = file;
  unflock(fs, file);
  fs.posixLocks.closed(file);
  if (mayWrite) inode.writers -= 1;
  if (inode.writers === 0) inode.reservation?.drop();
  fs.inodes.put(inode);
}

function* findOrCreate(fs: FileSystem, path: string, flags: OpenFlags, mode: number): Task<Inode> {
  if (!flags.create) return yield* walk(fs, path);
  if (flags.exclusive) return yield* createFile(fs, path, mode);
  let place = path;
  for (let links = 0; ; ) {
    const found = yield* unless('ENOENT', walk(fs, place));
    if (found !== undefined) return found;
    const made = yield* unless('EEXIST', createFile(fs, place, mode));
    if (made !== undefined) return made;
    // Another node was faster, or a symbolic link stands there that leads to where the file is to be made.
    const target = yield* unless('ENOENT', unless('EINVAL', readLinkAt(fs, place)));
    if (target === undefined) continue;
    links += 1;
    if (links > MAX_LINKS) throw new Refusal('ELOOP');
    place = target.startsWith('/') ? target : `${place.slice(0, place.lastIndexOf('/') + 1)}${target}`;
  }
}

/** Runs a call; undefined when it was refused for that reason. */
function* unless<T>(errno: FsErrno, call: Task<T>): Task<T | undefined> {
  try {
    return yield* call;
  } catch (error) {
    if (error instanceof Refusal && error.errno === errno) return undefined;
    throw error;
  }
}

/** What the symbolic link at a path says. @throws {Refusal} EINVAL when there is something else */
export function* readLinkAt(fs: FileSystem, path: string): Task<string> {
  const inode = yield* lookupPath(fs, path);
  try {
    return yield* readLink(fs, inode);
  } finally {
    fs.inodes.put(inode);
  }
}

function* createFile(fs: FileSystem, path: string, mode: number): Task<Inode> {
  if (fs.core.isReadOnly) throw new Refusal('EROFS');
  const { dir, name } = yield* walkToParent(fs, path);
  try {
    return yield* createInode(fs, dir, name, { mode: MODE.FILE | (mode & 0o7777) });
  } finally {
    fs.inodes.put(dir);
  }
}

function* checkOpen(fs: FileSystem, inode: Inode, mayWrite: boolean): Task {
  if (inode.di.nlink === 0) throw new Refusal('ENOENT');
  if (mayWrite && isDirectory(inode.di)) throw new Refusal('EISDIR');
  if (mayWrite && fs.core.isReadOnly) throw new Refusal('EROFS');
}

export function* read(fs: FileSystem, inode: Inode, offset: number, length: number): Task<Uint8Array> {
  return yield* withInode(fs, inode, 'SH', () => {
    if (isDirectory(inode.di)) throw new Refusal('EISDIR');
    if (!isRegular(inode.di) || offset < 0 || length < 0) throw new Refusal('EINVAL');
    return readFile(fs, inode, offset, length);
  });
}

/** Writes at `offset`; undefined is the end of the file as it is on all nodes. */
export function* write(fs: FileSystem, inode: Inode, offset: number | undefined, bytes: Uint8Array): Task<number> {
  return yield* withInode(fs, inode, 'EX', () => {
    if (!isRegular(inode.di) || (offset !== undefined && offset < 0)) throw new Refusal('EINVAL');
    return writeFile(fs, inode, offset ?? inode.di.size, bytes);
  });
}

export function* truncate(fs: FileSystem, inode: Inode, size: number): Task<undefined> {
  if (!Number.isSafeInteger(size) || size < 0) throw new Refusal('EINVAL');
  yield* withInode(fs, inode, 'EX', () => setSize(fs, inode, size));
  return undefined;
}

/**
 * Brings a file's data and what leads to it to stable storage (`gfs2_fsync`). When another node has changed the file last, it
 * did so before it gave up the lock.
 */
export function* fsync(fs: FileSystem, inode: Inode): Task<undefined> {
  if (!fs.core.isReadOnly)
    yield* fs.core.log.flush(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_INODE_GO_SYNC, inode.glock.space);
  return undefined;
}

export function* stat(fs: FileSystem, inode: Inode): Task<Stat> {
  return yield* withInode(fs, inode, 'SH', function* () {
    return statOf(inode.di);
  });
}

export function* statPath(fs: FileSystem, path: string, isLastFollowed: boolean): Task<Stat> {
  const inode = yield* walk(fs, path, isLastFollowed);
  try {
    return yield* stat(fs, inode);
  } finally {
    fs.inodes.put(inode);
  }
}

function statOf(dinode: Dinode): Stat {
  return {
    inode: dinode.addr,
    type: typeOf(dinode.mode),
    mode: dinode.mode,
    links: dinode.nlink,
    uid: dinode.uid,
    gid: dinode.gid,
    size: dinode.size,
    blocks: dinode.blocks,
    mtime: dinode.mtime,
    ctime: dinode.ctime,
  };
}

/** What kind of inode a mode speaks of. */
export function typeOf(mode: number): Stat['type'] {
  if (isRegular({ mode })) return 'file';
  if (isDirectory({ mode })) return 'directory';
  return isSymlink({ mode }) ? 'symlink' : 'other';
}

/** Looks a path up without following a link at its end; for those who need the inode itself. */
export function* lookupPath(fs: FileSystem, path: string): Task<Inode> {
  const { dir, name } = yield* walkToParent(fs, path);
  try {
    return (yield* lookup(fs, dir, name)).inode;
  } finally {
    fs.inodes.put(dir);
  }
}
