import { isInGroup, isRoot } from '../calls/caller.js';
import type { FileSystem } from '../filesystem.js';
import { DIF, type Dinode, isDirectory } from '../ondisk/dinode.js';
import { Refusal } from '../refusal.js';
import { aclPermits } from './acl.js';
import type { Inode } from './inode.js';

/** What somebody wants to do with an inode (`MAY_…`): the bits of one triple of a mode. */
export const MAY = { EXEC: 1, WRITE: 2, READ: 4 } as const;

/** Bits of a mode that are more than permissions. */
export const S = { ISUID: 0o4000, ISGID: 0o2000, ISVTX: 0o1000, IXGRP: 0o010 } as const;

/**
 * Refuses what the access control list, or else the mode, does not allow the caller, and any change of an immutable inode
 * (`gfs2_permission`, `generic_permission`). A mode that gives its group nothing has a mask that gives nobody anything. The inode's
 * glock is held.
 *
 * @throws {Refusal} EACCES, EPERM
 */
export function checkPermission({ caller }: FileSystem, { di, acl }: Inode, want: number): void {
  if ((want & MAY.WRITE) !== 0 && (di.flags & DIF.IMMUTABLE) !== 0) throw new Refusal('EPERM');
  if (isRoot(caller)) {
    // Not even root runs what nobody may run.
    if ((want & MAY.EXEC) === 0 || isDirectory(di) || (di.mode & 0o111) !== 0) return;
    throw new Refusal('EACCES');
  }
  if (acl !== undefined && caller.uid !== di.uid && (di.mode & 0o070) !== 0) {
    if (typeof acl === 'string') throw new Refusal(acl);
    if (aclPermits(acl, di, caller, want)) return;
    throw new Refusal('EACCES');
  }
  const shift = caller.uid === di.uid ? 6 : isInGroup(caller, di.gid) ? 3 : 0;
  if ((want & ~(di.mode >> shift)) !== 0) throw new Refusal('EACCES');
}

export function isOwner({ caller }: FileSystem, { di }: Inode): boolean {
  return isRoot(caller) || caller.uid === di.uid;
}

/** Whether names may be added to a directory (`may_create`). @throws {Refusal} EACCES, EPERM */
export function checkMayCreate(fs: FileSystem, dir: Inode): void {
  checkPermission(fs, dir, MAY.WRITE | MAY.EXEC);
}

/**
 * Whether the name of `inode` may be removed from `dir` (`may_delete`): in a sticky directory only by the owner of either.
 *
 * @throws {Refusal} EACCES, EPERM
 */
export function checkMayDelete(fs: FileSystem, dir: Inode, inode: Inode): void {
  checkPermission(fs, dir, MAY.WRITE | MAY.EXEC);
  const isSticky = (dir.di.mode & S.ISVTX) !== 0 && !isOwner(fs, dir) && !isOwner(fs, inode);
  const isFixed = (inode.di.flags & (DIF.APPENDONLY | DIF.IMMUTABLE)) !== 0 || (dir.di.flags & DIF.APPENDONLY) !== 0;
  if (isSticky || isFixed) throw new Refusal('EPERM');
}

/** A file that somebody else than root writes to runs no longer with its owner's rights (`file_remove_privs`). */
export function dropPrivileges({ caller }: FileSystem, { di }: Inode): void {
  if (!isRoot(caller)) di.mode = withoutPrivileges(di);
}

export function withoutPrivileges({ mode }: Pick<Dinode, 'mode'>): number {
  const isGroupRun = (mode & (S.ISGID | S.IXGRP)) === (S.ISGID | S.IXGRP);
  return mode & ~(S.ISUID | (isGroupRun ? S.ISGID : 0));
}
