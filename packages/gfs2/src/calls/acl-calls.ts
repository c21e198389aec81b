import { bytesEqual, type Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { type Acl, isValidAcl, modeOfAcl } from '../inode/acl.js';
import type { Inode } from '../inode/inode.js';
import { isOwner, S } from '../inode/permission.js';
import { removeXattr, setXattr } from '../inode/set-xattr.js';
import { ACL_ACCESS, ACL_DEFAULT, setModeAndAcl, withMode } from '../inode/stored-acl.js';
import { setChanged } from '../inode/times.js';
import { writeDinode } from '../inode/tree.js';
import { findXattr, type XattrName } from '../inode/xattr.js';
import { isDirectory, isSymlink } from '../ondisk/dinode.js';
import { decodeAcl, encodeAcl } from '../ondisk/posix-acl.js';
import { Refusal } from '../refusal.js';
import { isInGroup, isRoot } from './caller.js';

/** Refuses attributes of `system.` that are no access control lists, and those where the mount has none. @throws {Refusal} EOPNOTSUPP */
export function checkAclName(fs: FileSystem, { name }: XattrName): void {
  const isAcl = bytesEqual(name, ACL_ACCESS.name) || bytesEqual(name, ACL_DEFAULT.name);
  if (!isAcl || !fs.core.options.isAcl) throw new Refusal('EOPNOTSUPP');
}

/**
 * Sets a list, or removes it; the mode becomes what the list says, and one that says no more than a mode is not stored
 * (`gfs2_set_acl`). The glock is held EX.
 *
 * @throws {Refusal} EPERM for others than the owner, EACCES for a default list of what is no directory, EINVAL, E2BIG, ENOSPC
 */
export function* setAcl(fs: FileSystem, inode: Inode, name: XattrName, value: Uint8Array | undefined): Task {
  if (isSymlink(inode.di)) throw new Refusal('EOPNOTSUPP');
  if (!isOwner(fs, inode)) throw new Refusal('EPERM');
  const acl = value === undefined ? undefined : readAcl(value);
  const isDefault = bytesEqual(name.name, ACL_DEFAULT.name);
  if (isDefault && !isDirectory(inode.di)) {
    if (acl === undefined) return;
    throw new Refusal('EACCES');
  }
  if (acl !== undefined && acl.length > maxEntries(fs)) throw new Refusal('E2BIG');
  if (acl === undefined) yield* removeIfThere(fs, inode, name);
  else if (isDefault) yield* setXattr(fs, inode, { ...name, value: encodeAcl(acl) });
  else yield* setAccess(fs, inode, acl);
  if (acl === undefined && !isDefault) inode.acl = undefined;
}

function* setAccess(fs: FileSystem, inode: Inode, acl: Acl): Task {
  const { di } = inode;
  const { mode, isEquivalent } = modeOfAcl(acl, di.mode);
  const keepsGroup = isRoot(fs.caller) || isInGroup(fs.caller, di.gid);
  const next = keepsGroup ? mode : mode & ~S.ISGID;
  if (!isEquivalent) return yield* setModeAndAcl(fs, inode, next, acl);
  yield* withMode(inode, next, withoutAccess(fs, inode));
  inode.acl = undefined;
}

/** Writes the dinode of an inode whose mode says it all. */
function* withoutAccess(fs: FileSystem, inode: Inode): Task {
  if (yield* removeIfThere(fs, inode, ACL_ACCESS)) return;
  yield* fs.core.log.transact(1, 0, function* (transaction) {
    setChanged(fs, inode);
    yield* writeDinode(fs, inode, transaction);
  });
}

/** An empty list is none. @throws {Refusal} EINVAL, EOPNOTSUPP */
function readAcl(value: Uint8Array): Acl | undefined {
  if (value.length === 0) return undefined;
  const acl = decodeAcl(value);
  if (typeof acl === 'string') throw new Refusal(acl);
  if (acl.length === 0) return undefined;
  if (!isValidAcl(acl)) throw new Refusal('EINVAL');
  return acl;
}

function* removeIfThere(fs: FileSystem, inode: Inode, name: XattrName): Task<boolean> {
  if ((yield* findXattr(fs, inode, name)) === undefined) return false;
  yield* removeXattr(fs, inode, name);
  return true;
}

/** `GFS2_ACL_MAX_ENTRIES`: 25 once, then 300 with blocks of 4096 bytes. */
function maxEntries({ core }: FileSystem): number {
  return core.config.era === 'rhel6' ? 25 : Math.max(1, Math.floor((300 * core.geometry.blockSize) / 4096));
}
