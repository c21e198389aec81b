import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { HolderFlag } from '../glock/glock.js';
import { allocateRange } from '../inode/allocate-range.js';
import type { Inode } from '../inode/inode.js';
import { checkPermission, MAY } from '../inode/permission.js';
import { punchHole } from '../inode/punch-hole.js';
import { readFile } from '../inode/read-file.js';
import { touchAtime } from '../inode/touch-atime.js';
import { setSize } from '../inode/truncate.js';
import { writeNow } from '../inode/write-chunk.js';
import { writeFile } from '../inode/write-file.js';
import { createInode } from '../namei/create.js';
import { lookup, MAX_LINKS, readLink, walk, walkToParent } from '../namei/walk.js';
import { DIF, type Dinode, isDirectory, isRegular, isSymlink, MODE } from '../ondisk/dinode.js';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { type FsErrno, Refusal } from '../refusal.js';
import type { Descriptors, OpenFile } from './descriptors.js';
import { unflock } from './flock.js';
import type { FallocateMode, Fd, OpenFlags, Stat } from './operation.js';

/** Takes the locks of an inode for one call and gives them back. */
export function* withInode<T>(fs: FileSystem, inode: Inode, state: 'SH' | 'EX', body: () => Task<T>): Task<T> {
  const flags = state === 'SH' ? HolderFlag.ANY : 0;
  const holder = fs.inodes.lockNow(inode, state, flags) ?? (yield* fs.inodes.lock(inode, state, flags));
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
  const { inode, isNew } = yield* findOrCreate(fs, path, flags, mode);
  let isOpen = false;
  try {
    const mayWrite = (flags.write ?? false) || (flags.append ?? false) || (flags.truncate ?? false);
    yield* withInode(fs, inode, 'SH', () => checkOpen(fs, inode, flags, mayWrite, isNew));
    if (flags.truncate && isRegular(inode.di)) yield* withInode(fs, inode, 'EX', () => setSize(fs, inode, 0));
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

/** A file for `open`; what the call has made may be opened whatever its mode says. */
interface Found {
  readonly inode: Inode;
  readonly isNew: boolean;
}

function* findOrCreate(fs: FileSystem, path: string, flags: OpenFlags, mode: number): Task<Found> {
  if (!flags.create) return { inode: yield* walk(fs, path), isNew: false };
  if (flags.exclusive) return { inode: yield* createFile(fs, path, mode), isNew: true };
  let place = path;
  for (let links = 0; ; ) {
    const found = yield* unless('ENOENT', walk(fs, place));
    if (found !== undefined) return { inode: found, isNew: false };
    const made = yield* unless('EEXIST', createFile(fs, place, mode));
    if (made !== undefined) return { inode: made, isNew: true };
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
    const target = yield* readLink(fs, inode);
    yield* touchAtime(fs, inode);
    return target;
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

function* checkOpen(fs: FileSystem, inode: Inode, flags: OpenFlags, mayWrite: boolean, isNew: boolean): Task {
  const { di } = inode;
  if (di.nlink === 0) throw new Refusal('ENOENT');
  if (mayWrite && isDirectory(di)) throw new Refusal('EISDIR');
  if (mayWrite && fs.core.isReadOnly) throw new Refusal('EROFS');
  if (isNew) return;
  checkPermission(fs, inode, (flags.read === false ? 0 : MAY.READ) | (mayWrite ? MAY.WRITE : 0));
  const isOverwritten = mayWrite && (!flags.append || flags.truncate === true);
  if (isOverwritten && (di.flags & DIF.APPENDONLY) !== 0) throw new Refusal('EPERM');
}

/** Most bytes of one read, as in Linux. */
const MAX_RW_COUNT = 0x7fff_f000;

export function* read(fs: FileSystem, inode: Inode, offset: number, length: number): Task<Uint8Array> {
  // Before what is read, as that is lent until the next wait.
  if (isRegular(inode.di) && length > 0) yield* touchAtime(fs, inode);
  return yield* withInode(fs, inode, 'SH', () => {
    if (isDirectory(inode.di)) throw new Refusal('EISDIR');
    if (!isRegular(inode.di) || offset < 0 || length < 0) throw new Refusal('EINVAL');
    return readFile(fs, inode, offset, Math.min(length, MAX_RW_COUNT));
  });
}

/**
 * Writes at `offset`; undefined is the end of the file as it is on all nodes. Of a descriptor with O_SYNC or O_DSYNC, or an
 * inode with the flag (`chattr +S`), which is as O_DSYNC, it is on the disk then (`generic_write_sync`).
 */
export function* writeTo(
  fs: FileSystem,
  { inode, flags }: OpenFile,
  offset: number | undefined,
  bytes: Uint8Array,
): Task<number> {
  let isDataSync = flags.dsync === true;
  const written = yield* withInode(fs, inode, 'EX', () => {
    if (!isRegular(inode.di) || (offset !== undefined && offset < 0)) throw new Refusal('EINVAL');
    isDataSync ||= (inode.di.flags & DIF.SYNC) !== 0;
    return writeFile(fs, inode, offset ?? inode.di.size, bytes);
  });
  if (flags.sync) yield* fsync(fs, inode);
  else if (isDataSync) yield* fdatasync(fs, inode);
  return written;
}

/** The same, if all that it needs is in memory and nobody has to be waited for; else undefined, and nothing was done. */
export function writeToNow(
  fs: FileSystem,
  { inode, flags }: OpenFile,
  offset: number | undefined,
  bytes: Uint8Array,
): number | undefined {
  if (flags.sync === true || flags.dsync === true || (offset !== undefined && offset < 0)) return undefined;
  const holder = fs.inodes.lockNow(inode, 'EX');
  if (holder === undefined) return undefined;
  try {
    if (!isRegular(inode.di) || (inode.di.flags & DIF.SYNC) !== 0) return undefined;
    return writeNow(fs, inode, offset ?? inode.di.size, bytes);
  } finally {
    fs.inodes.unlock(holder);
  }
}

export function* truncate(fs: FileSystem, inode: Inode, size: number): Task<undefined> {
  if (!Number.isSafeInteger(size) || size < 0) throw new Refusal('EINVAL');
  yield* withInode(fs, inode, 'EX', () => {
    if (!isRegular(inode.di)) throw new Refusal('EINVAL');
    checkRewritable(inode);
    return setSize(fs, inode, size);
  });
  return undefined;
}

/** Gives blocks to a range of a file, or takes them (`gfs2_fallocate`). */
export function* fallocate(fs: FileSystem, inode: Inode, range: Range, how: FallocateMode): Task<undefined> {
  const { offset, length } = range;
  if (offset < 0 || length <= 0 || !Number.isInteger(offset) || !Number.isInteger(length)) throw new Refusal('EINVAL');
  if (!Number.isSafeInteger(offset + length)) throw new Refusal('EFBIG');
  yield* withInode(fs, inode, 'EX', () => {
    if (!isRegular(inode.di)) throw new Refusal('ENODEV');
    if (how === 'punch-hole') {
      checkRewritable(inode);
      return punchHole(fs, inode, offset, length);
    }
    return allocateRange(fs, inode, offset, length, how === 'grow');
  });
  return undefined;
}

/** Bytes of a file. */
interface Range {
  readonly offset: number;
  readonly length: number;
}

/** A file that is only appended to loses nothing. */
function checkRewritable({ di }: Inode): void {
  if ((di.flags & (DIF.APPENDONLY | DIF.IMMUTABLE)) !== 0) throw new Refusal('EPERM');
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

/** The same without what only says when (`gfs2_fsync`, `datasync`): data in its old place needs no flush of the log. */
export function* fdatasync(fs: FileSystem, inode: Inode): Task<undefined> {
  if (!fs.core.isReadOnly)
    yield* fs.core.log.flushData(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_INODE_GO_SYNC, inode.glock.space);
  return undefined;
}

export function* stat(fs: FileSystem, inode: Inode): Task<Stat> {
  return yield* withInode(fs, inode, 'SH', function* () {
    return statOf(inode.di);
  });
}

/** Takes what a path leads to into use for one call. */
export function* withPath<T>(
  fs: FileSystem,
  { path, isLinkFollowed = true }: { readonly path: string; readonly isLinkFollowed?: boolean },
  body: (inode: Inode) => Task<T>,
): Task<T> {
  const inode = yield* walk(fs, path, isLinkFollowed);
  try {
    return yield* body(inode);
  } finally {
    fs.inodes.put(inode);
  }
}

function statOf({ addr, nlink, ...dinode }: Dinode): Stat {
  const { mode, uid, gid, size, blocks, atime, mtime, ctime, atimeNsec, mtimeNsec, ctimeNsec, major, minor } = dinode;
  return {
    inode: addr,
    type: typeOf(mode),
    mode,
    links: nlink,
    uid,
    gid,
    size,
    blocks,
    atime,
    mtime,
    ctime,
    atimeNsec,
    mtimeNsec,
    ctimeNsec,
    major,
    minor,
    flags: dinode.flags,
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
