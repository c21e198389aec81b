import { type Task, utf8Bytes } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { decodeAcl, encodeAcl } from '../ondisk/posix-acl.js';
import { XATTR_TYPE } from '../ondisk/xattr.js';
import { Refusal } from '../refusal.js';
import { type Acl, aclWithMode } from './acl.js';
import type { Inode } from './inode.js';
import { setXattr } from './set-xattr.js';
import { findXattr, readXattr, type XattrName } from './xattr.js';

/** The attributes that hold access control lists. */
export const ACL_ACCESS: XattrName = { type: XATTR_TYPE.system, name: utf8Bytes('posix_acl_access') };
export const ACL_DEFAULT: XattrName = { type: XATTR_TYPE.system, name: utf8Bytes('posix_acl_default') };

/** Learns the list that decides about access, for `checkPermission`; part of reading an inode (`gfs2_get_acl`). */
export function* instantiateAcl(fs: FileSystem, inode: Inode): Task {
  inode.acl = undefined;
  if (!fs.core.options.isAcl || inode.di.eattr === 0) return;
  const place = yield* findXattr(fs, inode, ACL_ACCESS);
  inode.acl = place && decodeAcl(yield* readXattr(fs, inode, place));
}

/** The list that what is made in a directory inherits. @throws {Refusal} EINVAL, EOPNOTSUPP for bytes that are none */
export function* defaultAclOf(fs: FileSystem, dir: Inode): Task<Acl | undefined> {
  if (!fs.core.options.isAcl || dir.di.eattr === 0) return undefined;
  const place = yield* findXattr(fs, dir, ACL_DEFAULT);
  const acl = place && decodeAcl(yield* readXattr(fs, dir, place));
  if (typeof acl === 'string') throw new Refusal(acl);
  return acl;
}

/** Changes the mode of an inode and its list in one transaction. The glock is held EX. @throws {Refusal} ENOSPC, EDQUOT */
export function* setModeAndAcl(fs: FileSystem, inode: Inode, mode: number, acl: Acl): Task {
  yield* withMode(inode, mode, setXattr(fs, inode, { ...ACL_ACCESS, value: encodeAcl(acl) }));
  inode.acl = acl;
}

/** The inode has that mode while something is done that writes its dinode, and keeps it unless that is refused. */
export function* withMode<Result>(inode: Inode, mode: number, work: Task<Result>): Task<Result> {
  const before = inode.di.mode;
  inode.di.mode = mode;
  let isDone = false;
  try {
    const result = yield* work;
    isDone = true;
    return result;
  } finally {
    if (!isDone) inode.di.mode = before;
  }
}

/** chmod(2) of an inode with a list. */
export function chmodAcl(fs: FileSystem, inode: Inode, mode: number, acl: Acl): Task {
  return setModeAndAcl(fs, inode, mode, aclWithMode(acl, mode));
}
