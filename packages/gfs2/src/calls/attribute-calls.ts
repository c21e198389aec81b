import type { Task, WallTime } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import type { Inode } from '../inode/inode.js';
import { checkPermission, isOwner, MAY, S, withoutPrivileges } from '../inode/permission.js';
import { chmodAcl } from '../inode/stored-acl.js';
import { setChanged } from '../inode/times.js';
import { writeDinode } from '../inode/tree.js';
import type { Transaction } from '../log/log.js';
import { DIF, isDirectory, isRegular } from '../ondisk/dinode.js';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { checkLimits } from '../quota/quotas.js';
import { Refusal } from '../refusal.js';
import { isInGroup, isRoot } from './caller.js';
import { withInode, withPath } from './file-calls.js';
import type { NewTime, Operation } from './operation.js';

type Call<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>;

/** chmod(2). @throws {Refusal} EPERM for others than the owner */
export function* changeMode(fs: FileSystem, target: Call<'chmod'>): Task<undefined> {
  return yield* withChangeable(fs, target, function* (inode) {
    const { di, acl } = inode;
    if (!isOwner(fs, inode)) throw new Refusal('EPERM');
    let bits = target.mode & 0o7777;
    if (!isRoot(fs.caller) && !isInGroup(fs.caller, di.gid)) bits &= ~S.ISGID;
    const mode = (di.mode & ~0o7777) | bits;
    if (typeof acl === 'object') {
      yield* chmodAcl(fs, inode, mode, acl);
      return undefined;
    }
    return yield* writeChange(fs, inode, () => {
      di.mode = mode;
    });
  });
}

/** chown(2): root does as it likes, an owner gives a file to a group of its own. @throws {Refusal} EPERM */
export function* changeOwner(fs: FileSystem, target: Call<'chown'>): Task<undefined> {
  const { uid, gid } = target;
  const apply = (inode: Inode, transaction: Transaction): void => {
    const { caller } = fs;
    const { di } = inode;
    const mayOwner = isRoot(caller) || uid === undefined || (caller.uid === di.uid && uid === di.uid);
    const isOwnGroup = gid === di.gid || (gid !== undefined && isInGroup(caller, gid));
    const mayGroup = isRoot(caller) || gid === undefined || (caller.uid === di.uid && isOwnGroup);
    if (!mayOwner || !mayGroup) throw new Refusal('EPERM');
    fs.quotaChanges.change(transaction, di, -di.blocks);
    di.uid = uid ?? di.uid;
    di.gid = gid ?? di.gid;
    fs.quotaChanges.change(transaction, di, di.blocks);
    if (!isDirectory(di)) di.mode = withoutPrivileges(di);
  };
  return yield* change(fs, target, apply, (inode) => {
    const owner = { uid: uid ?? inode.di.uid, gid: gid ?? inode.di.gid, flags: inode.di.flags };
    return checkLimits(fs, owner, inode.di.blocks);
  });
}

/** utimensat(2). @throws {Refusal} EPERM for a time of somebody else's choice, EACCES for the present one */
export function* changeTimes(fs: FileSystem, target: Call<'utimes'>): Task<undefined> {
  const { atime, mtime } = target;
  if (atime === undefined && mtime === undefined) return undefined;
  return yield* change(fs, target, (inode) => {
    const { di } = inode;
    if (!isOwner(fs, inode)) {
      if (atime !== 'now' || mtime !== 'now') throw new Refusal('EPERM');
      checkPermission(fs, inode, MAY.WRITE);
    }
    const now = fs.core.wall();
    ({ sec: di.atime, nsec: di.atimeNsec } = newTime(atime, now) ?? { sec: di.atime, nsec: di.atimeNsec });
    ({ sec: di.mtime, nsec: di.mtimeNsec } = newTime(mtime, now) ?? { sec: di.mtime, nsec: di.mtimeNsec });
  });
}

function newTime(time: NewTime | undefined, now: WallTime): WallTime | undefined {
  return time === 'now' ? now : time;
}

/** Flags that somebody may set (`GFS2_FLAGS_USER_SET`), by kind of inode. */
const COMMON_FLAGS = DIF.IMMUTABLE | DIF.APPENDONLY | DIF.NOATIME | DIF.SYNC;
const ROOT_FLAGS = DIF.IMMUTABLE | DIF.APPENDONLY;

/**
 * Sets flags of the dinode (`do_gfs2_set_flags`): of a file whether its data is journaled, of a directory whether that of files
 * made in it will be.
 *
 * @throws {Refusal} EPERM, EACCES, EINVAL for a flag that this inode cannot have
 */
export function* changeFlags(fs: FileSystem, { path, flags, mask }: Call<'setflags'>): Task<undefined> {
  return yield* withPath(fs, { path }, (inode) =>
    withInode(fs, inode, 'EX', function* () {
      const { di } = inode;
      if (!isOwner(fs, inode)) throw new Refusal('EPERM');
      const special = isDirectory(di) ? DIF.INHERIT_JDATA | DIF.TOPDIR : isRegular(di) ? DIF.JDATA : 0;
      if ((mask & ~(COMMON_FLAGS | special)) !== 0) throw new Refusal('EINVAL');
      const changed = (di.flags ^ flags) & mask;
      if ((changed & ROOT_FLAGS) !== 0 && !isRoot(fs.caller)) throw new Refusal('EPERM');
      if (changed === 0) return undefined;
      if ((di.flags & DIF.IMMUTABLE) === 0) checkPermission(fs, inode, MAY.WRITE);
      // No data may be on its way that was written under the other rule.
      if ((changed & DIF.JDATA) !== 0) yield* fs.core.log.sync(inode.glock.space, LOG_HEAD.LFC_SET_FLAGS);
      return yield* writeChange(fs, inode, () => {
        di.flags = (di.flags ^ changed) >>> 0;
      });
    }),
  );
}

function* change(
  fs: FileSystem,
  target: { readonly path: string; readonly isLinkFollowed?: boolean },
  apply: (inode: Inode, transaction: Transaction) => void,
  prepare?: (inode: Inode) => Task,
): Task<undefined> {
  return yield* withChangeable(fs, target, function* (inode) {
    if (prepare !== undefined) yield* prepare(inode);
    return yield* writeChange(fs, inode, (transaction) => apply(inode, transaction));
  });
}

function* withChangeable(
  fs: FileSystem,
  target: { readonly path: string; readonly isLinkFollowed?: boolean },
  body: (inode: Inode) => Task<undefined>,
): Task<undefined> {
  return yield* withPath(fs, target, (inode) =>
    withInode(fs, inode, 'EX', () => {
      if ((inode.di.flags & (DIF.IMMUTABLE | DIF.APPENDONLY)) !== 0) throw new Refusal('EPERM');
      return body(inode);
    }),
  );
}

function* writeChange(fs: FileSystem, inode: Inode, apply: (transaction: Transaction) => void): Task<undefined> {
  yield* fs.core.log.transact(1, 0, function* (transaction) {
    apply(transaction);
    setChanged(fs, inode);
    yield* writeDinode(fs, inode, transaction);
  });
  return undefined;
}
