import type { Operation, OperationResults, Stat } from '@quorate/gfs2';
import {
  concatBytes,
  type Errno,
  type FileInfo,
  type FileLock,
  type FileSystemSpace,
  isErrno,
  type LockedFile,
  type Task,
} from '@quorate/kernel';
import type { SystemCall } from './system-call.js';

/** How much of a file is asked for at once. */
const CHUNK_BYTES = 65_536;

/** A directory that a file system is mounted on, and the process that asks it. */
export interface Asked {
  readonly directory: string;
  readonly pid: number;
}

/** Asks it, and waits for the answer. */
export function* ask<Kind extends Operation['kind']>(
  { directory, pid }: Asked,
  operation: Extract<Operation, { kind: Kind }>,
): Task<OperationResults[Kind] | Errno> {
  const call: SystemCall = { call: 'file-system', directory, pid, operation };
  return (yield call) as OperationResults[Kind] | Errno;
}

export function* readFile(asked: Asked, path: string): Task<Uint8Array | Errno> {
  const fd = yield* ask(asked, { kind: 'open', path });
  if (isErrno(fd)) return fd;
  const chunks: Uint8Array[] = [];
  let offset = 0;
  let failure: Errno | undefined;
  for (;;) {
    const bytes = yield* ask(asked, { kind: 'pread', fd, offset, length: CHUNK_BYTES });
    if (isErrno(bytes)) {
      failure = bytes;
      break;
    }
    if (bytes.length > 0) chunks.push(bytes);
    offset += bytes.length;
    if (bytes.length < CHUNK_BYTES) break;
  }
  yield* ask(asked, { kind: 'close', fd });
  return failure ?? (chunks.length === 1 ? chunks[0]! : concatBytes(...chunks));
}

/** Writes and closes; on the medium after the next sync of the file system. */
export function* writeFile(asked: Asked, path: string, bytes: Uint8Array, append: boolean): Task<number | Errno> {
  const flags = { write: true, create: true, append, truncate: !append };
  const fd = yield* ask(asked, { kind: 'open', path, flags });
  if (isErrno(fd)) return fd;
  const written = yield* append
    ? ask(asked, { kind: 'append', fd, bytes })
    : ask(asked, { kind: 'pwrite', fd, offset: 0, bytes });
  yield* ask(asked, { kind: 'close', fd });
  return written;
}

/** `/` is the whole file system. */
export function* sync(asked: Asked, path: string): Task<Errno | undefined> {
  if (path === '/') {
    const done = yield* ask(asked, { kind: 'sync' });
    return isErrno(done) ? done : undefined;
  }
  const fd = yield* ask(asked, { kind: 'open', path, flags: { write: true } });
  if (isErrno(fd)) return fd;
  const refused = yield* ask(asked, { kind: 'fsync', fd });
  yield* ask(asked, { kind: 'close', fd });
  return isErrno(refused) ? refused : undefined;
}

/** Opens a file and takes a lock on it. */
export function* lockFile(asked: Asked, path: string, lock: FileLock): Task<LockedFile | Errno> {
  const fd = yield* ask(asked, { kind: 'open', path, flags: { write: true, create: true } });
  if (isErrno(fd)) return fd;
  const { kind, isExclusive, isWaiting, start = 0, length } = lock;
  const how = isExclusive ? 'exclusive' : 'shared';
  const range = length === undefined ? { start } : { start, length };
  const refused = yield* kind === 'flock'
    ? ask(asked, { kind: 'flock', fd, how, isWaiting })
    : ask(asked, { kind: 'setlk', fd, how, isWaiting, ...range });
  if (refused === undefined) return { directory: asked.directory, fd };
  yield* ask(asked, { kind: 'close', fd });
  return refused;
}

/** Closes it, and with it goes the lock. */
export function unlockFile(asked: Asked, fd: number): Task<Errno | undefined> {
  return ask(asked, { kind: 'close', fd });
}

export function remove(asked: Asked, path: string): Task<Errno | undefined> {
  return ask(asked, { kind: 'unlink', path });
}

export function rename(asked: Asked, from: string, to: string): Task<Errno | undefined> {
  return ask(asked, { kind: 'rename', from, to });
}

export function makeDirectory(asked: Asked, path: string): Task<Errno | undefined> {
  return ask(asked, { kind: 'mkdir', path });
}

export function removeDirectory(asked: Asked, path: string): Task<Errno | undefined> {
  return ask(asked, { kind: 'rmdir', path });
}

export function* list(asked: Asked, path: string): Task<readonly string[] | Errno> {
  const entries = yield* ask(asked, { kind: 'readdir', path });
  return isErrno(entries) ? entries : entries.map(({ name }) => name);
}

export function* stat(asked: Asked, path: string, isLinkFollowed: boolean): Task<FileInfo | Errno> {
  const found = yield* ask(asked, { kind: isLinkFollowed ? 'stat' : 'lstat', path });
  return isErrno(found) ? found : fileInfoOf(found);
}

export function makeSymlink(asked: Asked, target: string, path: string): Task<Errno | undefined> {
  return ask(asked, { kind: 'symlink', target, path });
}

export function readLink(asked: Asked, path: string): Task<{ readonly target: string } | Errno> {
  return ask(asked, { kind: 'readlink', path });
}

/** How full it is, as this node knows: changes of others count once they have been synchronized. */
export function* space(asked: Asked): Task<FileSystemSpace | Errno> {
  const found = yield* ask(asked, { kind: 'statfs' });
  if (isErrno(found)) return found;
  const { blockSize, blocks, free, dinodes } = found;
  return { blockSize, blocks, freeBlocks: free, inodes: dinodes };
}

function fileInfoOf(found: Stat): FileInfo {
  const { inode, mode, links, uid, gid, size, mtime } = found;
  const type = found.type === 'other' ? 'file' : found.type;
  const times = {
    accessed: { sec: found.atime, nsec: found.atimeNsec },
    modified: { sec: mtime, nsec: found.mtimeNsec },
    changed: { sec: found.ctime, nsec: found.ctimeNsec },
  };
  return { type, inode, mode: mode & 0o7777, links, uid, gid, size, modifiedAt: mtime, times };
}
