import { viewOf } from '@quorate/kernel';

/** Whom an entry is for (`ACL_USER_OBJ`, …); also the order of the entries. */
export const ACL_TAG = { USER_OBJ: 1, USER: 2, GROUP_OBJ: 4, GROUP: 8, MASK: 0x10, OTHER: 0x20 } as const;

/** One entry of an access control list. */
export interface AclEntry {
  /** One of `ACL_TAG`. */
  readonly tag: number;
  /** Read 4, write 2, execute 1. */
  readonly permissions: number;
  /** User or group; of the other tags 0xffffffff. */
  readonly id: number;
}

export const NO_ACL_ID = 0xffff_ffff;

const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;

/**
 * An access control list as an extended attribute has it, `posix_acl_access` and `posix_acl_default` of type 2. Little-endian.
 *
 * offset size field
 *      0    4 version  2
 *      4    2 tag      of the first entry
 *      6    2 perm
 *      8    4 id       0xffffffff where the tag says it
 *     12    … further entries of 8 bytes
 *
 * The error is that of Linux for bytes that are none.
 *
 * Source: Linux include/uapi/linux/posix_acl_xattr.h, `posix_acl_from_xattr`.
 */
export function decodeAcl(bytes: Uint8Array): readonly AclEntry[] | 'EINVAL' | 'EOPNOTSUPP' {
  if (bytes.length < HEADER_BYTES) return 'EINVAL';
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== VERSION) return 'EOPNOTSUPP';
  if ((bytes.length - HEADER_BYTES) % ENTRY_BYTES !== 0) return 'EINVAL';
  const entries: AclEntry[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; at += ENTRY_BYTES) {
    const tag = view.getUint16(at, true);
    const isNamed = tag === ACL_TAG.USER || tag === ACL_TAG.GROUP;
    const id = isNamed ? view.getUint32(at + 4, true) : NO_ACL_ID;
    entries.push({ tag, permissions: view.getUint16(at + 2, true), id });
  }
  return entries;
}

export function encodeAcl(entries: readonly AclEntry[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + ENTRY_BYTES * entries.length);
  const view = viewOf(bytes);
  view.setUint32(0, VERSION, true);
  for (const [i, { tag, permissions, id }] of entries.entries()) {
    const at = HEADER_BYTES + ENTRY_BYTES * i;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, permissions, true);
    view.setUint32(at + 4, id, true);
  }
  return bytes;
}
