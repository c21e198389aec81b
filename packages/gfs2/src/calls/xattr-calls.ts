import { type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import type { Inode } from '../inode/inode.js';
import { checkPermission, isOwner, MAY, S } from '../inode/permission.js';
import { removeXattr, setXattr } from '../inode/set-xattr.js';
import { findXattr, readXattr, type XattrName, xattrPlaces } from '../inode/xattr.js';
import { DIF, isDirectory, isRegular } from '../ondisk/dinode.js';
import { XATTR_TYPE as TYPE, XATTR_PREFIX } from '../ondisk/xattr.js';
import { Refusal } from '../refusal.js';
import { checkAclName, setAcl } from './acl-calls.js';
import { isRoot } from './caller.js';
import { withInode, withPath } from './file-calls.js';

/** First format with `trusted.*`. */
const TRUSTED_FORMAT = 1802;

/** Most bytes of a name with its prefix. */
const MAX_NAME = 255;

/** A path, and whether a symbolic link at its end is followed. */
interface Target {
  readonly path: string;
  readonly isLinkFollowed?: boolean;
}

/** @throws {Refusal} ENODATA, EACCES, EOPNOTSUPP, … */
export function* getXattr(fs: FileSystem, target: Target, text: string): Task<Uint8Array> {
  const name = nameOf(fs, text);
  return yield* withPath(fs, target, (inode) =>
    withInode(fs, inode, 'SH', function* () {
      checkAccess(fs, inode, name, MAY.READ);
      const place = yield* findXattr(fs, inode, name);
      if (place === undefined) throw new Refusal('ENODATA');
      return yield* readXattr(fs, inode, place);
    }),
  );
}

/** The names that the caller may know of. */
export function* listXattrs(fs: FileSystem, target: Target): Task<readonly string[]> {
  return yield* withPath(fs, target, (inode) =>
    withInode(fs, inode, 'SH', function* () {
      const places = yield* xattrPlaces(fs, inode);
      return places
        .filter(({ record: { type } }) => type !== 0 && (type !== TYPE.trusted || isRoot(fs.caller)))
        .map(({ record: { type, name } }) => `${XATTR_PREFIX[type]}${utf8Text(name)}`);
    }),
  );
}

/** @throws {Refusal} EEXIST, ENODATA, EPERM, EACCES, EOPNOTSUPP, E2BIG, ENOSPC, … */
export function* changeXattr(
  fs: FileSystem,
  target: Target,
  text: string,
  value: Uint8Array | undefined,
  how?: 'create' | 'replace',
): Task<undefined> {
  const name = nameOf(fs, text);
  yield* withPath(fs, target, (inode) =>
    withInode(fs, inode, 'EX', () => {
      checkAccess(fs, inode, name, MAY.WRITE);
      if ((inode.di.flags & (DIF.IMMUTABLE | DIF.APPENDONLY)) !== 0) throw new Refusal('EPERM');
      if (name.type === TYPE.system) return setAcl(fs, inode, name, value);
      return value === undefined ? removeXattr(fs, inode, name) : setXattr(fs, inode, { ...name, value }, how);
    }),
  );
  return undefined;
}

function nameOf(fs: FileSystem, text: string): XattrName {
  const type = XATTR_PREFIX.findIndex((prefix) => prefix !== '' && text.startsWith(prefix));
  const isKnown = type > 0 && (type !== TYPE.trusted || fs.core.superblock!.fsFormat >= TRUSTED_FORMAT);
  if (!isKnown) throw new Refusal('EOPNOTSUPP');
  const name = utf8Bytes(text.slice(XATTR_PREFIX[type]!.length));
  if (name.length === 0) throw new Refusal('EINVAL');
  if (utf8Bytes(text).length > MAX_NAME) throw new Refusal('ERANGE');
  if (type === TYPE.system) checkAclName(fs, { type, name });
  return { type, name };
}

/** Who may do what with attributes of which namespace (`xattr_permission`). */
function checkAccess(fs: FileSystem, inode: Inode, { type }: XattrName, want: number): void {
  const isWrite = want === MAY.WRITE;
  if (type === TYPE.trusted && !isRoot(fs.caller)) throw new Refusal(isWrite ? 'EPERM' : 'ENODATA');
  if (type === TYPE.security && isWrite && !isRoot(fs.caller)) throw new Refusal('EPERM');
  if (type !== TYPE.user) return;
  const { di } = inode;
  if (!isRegular(di) && !isDirectory(di)) throw new Refusal(isWrite ? 'EPERM' : 'ENODATA');
  if (isDirectory(di) && (di.mode & S.ISVTX) !== 0 && isWrite && !isOwner(fs, inode)) throw new Refusal('EPERM');
  checkPermission(fs, inode, want);
}
