import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { MODE } from '../ondisk/dinode.js';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { syncQuotas } from '../quota/quotas.js';
import { Refusal } from '../refusal.js';
import * as attributes from './attribute-calls.js';
import type { Descriptors } from './descriptors.js';
import * as files from './file-calls.js';
import { flock } from './flock.js';
import type { Operation, OperationResults, StatFs } from './operation.js';
import * as paths from './path-calls.js';
import * as volume from './volume-calls.js';
import * as xattrs from './xattr-calls.js';

/** Calls that change something. `open` says so by its flags. */
const CHANGING: ReadonlySet<Operation['kind']> = new Set([
  'pwrite',
  'append',
  'ftruncate',
  'mkdir',
  'rmdir',
  'unlink',
  'rename',
  'symlink',
  'link',
  'fallocate',
  'mknod',
  'chmod',
  'chown',
  'utimes',
  'setxattr',
  'removexattr',
  'setflags',
  'setquota',
  'syncquota',
  'trim',
  'grow',
  'add-journals',
]);

/** Whether a call waits while the file system is frozen. */
export function isChanging(operation: Operation): boolean {
  if (operation.kind !== 'open') return CHANGING.has(operation.kind);
  return operation.flags?.create === true || operation.flags?.truncate === true;
}

/**
 * Carries out a write that finds all it needs in memory and has to wait for nobody, without a task and with the bytes as they are
 * lent; undefined for any other call, and nothing was done. The file system is not frozen.
 *
 * @throws {Refusal}
 */
export function performNow(fs: FileSystem, descriptors: Descriptors, operation: Operation): number | undefined {
  if (operation.kind !== 'append' && operation.kind !== 'pwrite') return undefined;
  if (fs.core.isReadOnly || fs.rgrps.isIndexStale) return undefined;
  const file = descriptors.getWritable(operation.fd);
  const isAtEnd = operation.kind === 'append' || file.flags.append;
  return files.writeToNow(fs, file, isAtEnd ? undefined : operation.offset, operation.bytes);
}

/** Carries out one call, but for those that freeze and thaw. @throws {Refusal} */
export function* perform(
  fs: FileSystem,
  descriptors: Descriptors,
  operation: Exclude<Operation, { kind: 'freeze' | 'thaw' }>,
  process = 0,
): Task<OperationResults[keyof OperationResults]> {
  if (CHANGING.has(operation.kind)) {
    if (fs.core.isReadOnly) throw new Refusal('EROFS');
    if (fs.rgrps.isIndexStale) yield* fs.rgrps.update();
  }
  switch (operation.kind) {
    case 'open':
      return yield* files.openFile(
        fs,
        descriptors,
        operation.path,
        operation.flags ?? {},
        operation.mode ?? 0o644,
        process,
      );
    case 'close':
      files.closeFile(fs, descriptors, operation.fd);
      return undefined;
    case 'pread':
      return yield* files.read(fs, descriptors.getReadable(operation.fd).inode, operation.offset, operation.length);
    case 'pwrite': {
      const file = descriptors.getWritable(operation.fd);
      return yield* files.writeTo(fs, file, file.flags.append ? undefined : operation.offset, operation.bytes);
    }
    case 'append':
      return yield* files.writeTo(fs, descriptors.getWritable(operation.fd), undefined, operation.bytes);
    case 'ftruncate':
      return yield* files.truncate(fs, descriptors.getWritable(operation.fd).inode, operation.size);
    case 'fsync':
      return yield* files.fsync(fs, descriptors.get(operation.fd).inode);
    case 'fdatasync':
      return yield* files.fdatasync(fs, descriptors.get(operation.fd).inode);
    case 'flock':
      return yield* flock(fs, descriptors.get(operation.fd), operation.how, operation.isWaiting ?? false);
    case 'setlk': {
      const { how, isWaiting = false } = operation;
      return yield* fs.posixLocks.set(descriptors.get(operation.fd), how, operation, isWaiting);
    }
    case 'getlk':
      return yield* fs.posixLocks.get(descriptors.get(operation.fd), operation.how, operation);
    case 'fstat':
      return yield* files.stat(fs, descriptors.get(operation.fd).inode);
    case 'stat':
    case 'lstat': {
      const target = { path: operation.path, isLinkFollowed: operation.kind === 'stat' };
      return yield* files.withPath(fs, target, (inode) => files.stat(fs, inode));
    }
    case 'fallocate':
      return yield* files.fallocate(
        fs,
        descriptors.getWritable(operation.fd).inode,
        operation,
        operation.how ?? 'grow',
      );
    case 'readdir':
      return yield* paths.readDirectory(fs, operation.path);
    case 'mkdir':
      return yield* paths.make(fs, operation.path, { mode: MODE.DIRECTORY | ((operation.mode ?? 0o755) & 0o7777) });
    case 'symlink':
      return yield* paths.make(fs, operation.path, { mode: MODE.SYMLINK | 0o777, target: operation.target });
    case 'rmdir':
    case 'unlink':
      return yield* paths.remove(fs, operation.path, operation.kind);
    case 'rename':
      return yield* paths.rename(fs, operation.from, operation.to);
    case 'readlink':
      return { target: yield* files.readLinkAt(fs, operation.path) };
    case 'link':
      return yield* paths.link(fs, operation.from, operation.to);
    case 'mknod':
      return yield* paths.make(fs, operation.path, operation);
    case 'chmod':
      return yield* attributes.changeMode(fs, operation);
    case 'chown':
      return yield* attributes.changeOwner(fs, operation);
    case 'utimes':
      return yield* attributes.changeTimes(fs, operation);
    case 'setflags':
      return yield* attributes.changeFlags(fs, operation);
    case 'getxattr':
      return yield* xattrs.getXattr(fs, operation, operation.name);
    case 'listxattr':
      return yield* xattrs.listXattrs(fs, operation);
    case 'setxattr':
      return yield* xattrs.changeXattr(fs, operation, operation.name, operation.bytes, operation.how);
    case 'removexattr':
      return yield* xattrs.changeXattr(fs, operation, operation.name, undefined);
    case 'getquota':
      return yield* volume.getQuota(fs, operation);
    case 'setquota':
      return yield* volume.setQuota(fs, operation, operation);
    case 'syncquota':
      yield* syncQuotas(fs);
      return undefined;
    case 'trim':
      return yield* volume.trimVolume(fs, operation);
    case 'grow':
      return yield* volume.growVolume(fs, operation.deviceBlocks);
    case 'add-journals':
      return yield* volume.addJournalsTo(fs, operation);
    case 'statfs':
      return statFsOf(fs);
    case 'sync':
      if (!fs.core.isReadOnly) yield* fs.core.log.flush(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_SYNC_FS);
      return undefined;
  }
}

function statFsOf(fs: FileSystem): StatFs {
  const { total, free, dinodes } = fs.statfs.figures;
  return { blockSize: fs.core.geometry.blockSize, blocks: total, free, dinodes };
}
