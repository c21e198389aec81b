import { ACL_TAG, type AclEntry, decodeAcl, encodeAcl, NO_ACL_ID, type Stat } from '@quorate/gfs2';
import { type Errno, isErrno, type Task } from '@quorate/kernel';
import { ask } from '../../os/mounted-files.js';
import type { VolumePath } from '../gfs2/mounted-volume.js';

/** Which of the two lists of a file. */
export type AclKind = 'access' | 'default';

const nameOf = (kind: AclKind): string => `system.posix_acl_${kind}`;

/** The lists of a file; what its mode says when it has none. */
export interface FileAcls {
  readonly stat: Stat;
  readonly access: readonly AclEntry[];
  readonly default: readonly AclEntry[];
}

export function* readAcls(at: VolumePath): Task<FileAcls | Errno> {
  const stat = yield* ask(at.volume, { kind: 'stat', path: at.path });
  if (isErrno(stat)) return stat;
  const access = yield* readAcl(at, 'access');
  if (isErrno(access)) return access;
  const defaults = stat.type === 'directory' ? yield* readAcl(at, 'default') : [];
  if (isErrno(defaults)) return defaults;
  return { stat, access: access.length > 0 ? access : aclOfMode(stat.mode), default: defaults };
}

/** Empty when there is none, or the file system is mounted without them. */
function* readAcl({ volume, path }: VolumePath, kind: AclKind): Task<readonly AclEntry[] | Errno> {
  const bytes = yield* ask(volume, { kind: 'getxattr', path, name: nameOf(kind) });
  if (isErrno(bytes)) return bytes === 'ENODATA' || bytes === 'EOPNOTSUPP' ? [] : bytes;
  return decodeAcl(bytes);
}

/** Sets a list; an empty one is removed. */
export function* writeAcl(
  { volume, path }: VolumePath,
  kind: AclKind,
  entries: readonly AclEntry[],
): Task<Errno | undefined> {
  const name = nameOf(kind);
  const call =
    entries.length > 0 ? { kind: 'setxattr' as const, bytes: encodeAcl(entries) } : { kind: 'removexattr' as const };
  const refused = yield* ask<'setxattr' | 'removexattr'>(volume, { ...call, path, name });
  return isErrno(refused) ? refused : undefined;
}

/** The three entries that a mode stands for. */
export function aclOfMode(mode: number): readonly AclEntry[] {
  const { USER_OBJ, GROUP_OBJ, OTHER } = ACL_TAG;
  return [USER_OBJ, GROUP_OBJ, OTHER].map((tag, i) => ({ tag, permissions: (mode >> (6 - 3 * i)) & 7, id: NO_ACL_ID }));
}
