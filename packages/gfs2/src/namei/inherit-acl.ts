import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { inheritedAcl } from '../inode/acl.js';
import type { Inode } from '../inode/inode.js';
import { ACL_ACCESS, ACL_DEFAULT, defaultAclOf } from '../inode/stored-acl.js';
import { newMetaBlock, type TreeChange } from '../inode/tree.js';
import { isDirectory, isSymlink } from '../ondisk/dinode.js';
import { META_TYPE } from '../ondisk/meta-header.js';
import { decodeAcl, encodeAcl } from '../ondisk/posix-acl.js';
import { encodeXattr, FIRST_XATTR, type NewXattr, setXattrLength, xattrSize } from '../ondisk/xattr.js';
import { Refusal } from '../refusal.js';

/** What something new gets from the directory that it is made in. */
export interface Inherited {
  /** Type bits and permissions. */
  readonly mode: number;
  readonly acls: readonly NewXattr[];
}

/**
 * Without a default list the umask counts, with one the list does (`posix_acl_create`). The directory's glock is held.
 *
 * @throws {Refusal} E2BIG when the lists do not fit a block
 */
export function* inherit(fs: FileSystem, dir: Inode, mode: number): Task<Inherited> {
  if (isSymlink({ mode })) return { mode, acls: [] };
  const defaults = yield* defaultAclOf(fs, dir);
  if (defaults === undefined) return { mode: mode & ~((fs.caller.umask ?? 0) & 0o777), acls: [] };
  const { acl, mode: masked } = inheritedAcl(defaults, mode);
  const acls: NewXattr[] = [];
  if (isDirectory({ mode })) acls.push({ ...ACL_DEFAULT, value: encodeAcl(defaults) });
  if (acl !== undefined) acls.push({ ...ACL_ACCESS, value: encodeAcl(acl) });
  const { jbsize } = fs.core.geometry;
  const bytes = acls.map(({ name, value }) => xattrSize(name.length, value.length, jbsize).bytes);
  if (bytes.reduce((sum, each) => sum + each, 0) > jbsize) throw new Refusal('E2BIG');
  return { mode: masked, acls };
}

/** Which of them decides about access. */
export function aclOf(acls: readonly NewXattr[]): Inode['acl'] {
  const access = acls.find(({ name }) => name === ACL_ACCESS.name);
  return access && decodeAcl(access.value);
}

/** Gives a new inode its lists, in a block that was reserved for them (`gfs2_init_xattr`, `__gfs2_set_acl`). */
export function writeInherited(change: TreeChange, acls: readonly NewXattr[]): void {
  if (acls.length === 0) return;
  const { data, block } = newMetaBlock(change, META_TYPE.EA);
  change.inode.di.eattr = block;
  const { jbsize } = change.fs.core.geometry;
  let at = FIRST_XATTR;
  for (const [i, xattr] of acls.entries()) {
    const isLast = i === acls.length - 1;
    const recLen = isLast ? data.length - at : xattrSize(xattr.name.length, xattr.value.length, jbsize).bytes;
    encodeXattr(data, at, { ...xattr, pointers: [] });
    setXattrLength(data, at, recLen, isLast);
    at += recLen;
  }
}
