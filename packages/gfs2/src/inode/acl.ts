import { type Caller, isInGroup } from '../calls/caller.js';
import { ACL_TAG, type AclEntry } from '../ondisk/posix-acl.js';

/** An access control list. */
export type Acl = readonly AclEntry[];

/** The bits of a mode that an entry stands for, shifted to its triple. */
const SHIFT: ReadonlyMap<number, number> = new Map([
  [ACL_TAG.USER_OBJ, 6],
  [ACL_TAG.GROUP_OBJ, 3],
  [ACL_TAG.MASK, 3],
  [ACL_TAG.OTHER, 0],
]);

/** Where the mode has what an entry says; undefined when it does not: with a mask, that stands for the group. */
function shiftOf(acl: Acl, { tag }: AclEntry): number | undefined {
  const isMasked = tag === ACL_TAG.GROUP_OBJ && acl.some((entry) => entry.tag === ACL_TAG.MASK);
  return isMasked ? undefined : SHIFT.get(tag);
}

/** Whether the entries are in order, one for each of the three classes, and with a mask if there are names (`posix_acl_valid`). */
export function isValidAcl(acl: Acl): boolean {
  const count = (tag: number): number => acl.filter((entry) => entry.tag === tag).length;
  const { USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER } = ACL_TAG;
  const isKnown = acl.every(
    ({ tag, permissions }) => (SHIFT.has(tag) || tag === USER || tag === GROUP) && permissions <= 7,
  );
  const isInOrder = acl.every(({ tag }, i) => i === 0 || acl[i - 1]!.tag <= tag);
  const isComplete = count(USER_OBJ) === 1 && count(GROUP_OBJ) === 1 && count(OTHER) === 1;
  const masks = count(MASK);
  return isKnown && isInOrder && isComplete && masks <= 1 && (masks === 1 || count(USER) + count(GROUP) === 0);
}

/** Whose inode it is. */
interface Owners {
  readonly uid: number;
  readonly gid: number;
}

/** Whether the list gives the caller all that it wants (`posix_acl_permission`). */
export function aclPermits(acl: Acl, { uid, gid }: Owners, caller: Caller, want: number): boolean {
  const gives = (entry: AclEntry | undefined): boolean => entry !== undefined && (want & ~entry.permissions) === 0;
  const find = (tag: number): AclEntry | undefined => acl.find((entry) => entry.tag === tag);
  const mask = find(ACL_TAG.MASK);
  const givesMasked = (entry: AclEntry): boolean => gives(entry) && (mask === undefined || gives(mask));
  if (caller.uid === uid) return gives(find(ACL_TAG.USER_OBJ));
  const user = acl.find(({ tag, id }) => tag === ACL_TAG.USER && id === caller.uid);
  if (user !== undefined) return givesMasked(user);
  const groups = acl.filter(
    ({ tag, id }) =>
      (tag === ACL_TAG.GROUP_OBJ && isInGroup(caller, gid)) || (tag === ACL_TAG.GROUP && isInGroup(caller, id)),
  );
  return groups.length > 0 ? groups.some(givesMasked) : gives(find(ACL_TAG.OTHER));
}

/** The mode of an inode with that list, and whether the mode says it all (`posix_acl_equiv_mode`). */
export function modeOfAcl(acl: Acl, mode: number): { readonly mode: number; readonly isEquivalent: boolean } {
  let permissions = 0;
  for (const entry of acl) {
    const shift = shiftOf(acl, entry);
    if (shift !== undefined) permissions |= entry.permissions << shift;
  }
  return { mode: (mode & ~0o777) | permissions, isEquivalent: acl.length === 3 };
}

/** The list after chmod(2): the mask, or without one the owning group, gets what the mode gives the group (`posix_acl_chmod`). */
export function aclWithMode(acl: Acl, mode: number): Acl {
  return acl.map((entry) => {
    const shift = shiftOf(acl, entry);
    return shift === undefined ? entry : { ...entry, permissions: (mode >> shift) & 7 };
  });
}

/** What something new gets of the default list of its directory, when it is made with that mode (`posix_acl_create_masq`). */
export function inheritedAcl(defaults: Acl, mode: number): { readonly acl: Acl | undefined; readonly mode: number } {
  const acl = defaults.map((entry) => {
    const shift = shiftOf(defaults, entry);
    return shift === undefined ? entry : { ...entry, permissions: entry.permissions & (mode >> shift) };
  });
  const { mode: masked, isEquivalent } = modeOfAcl(acl, mode);
  return { acl: isEquivalent ? undefined : acl, mode: masked };
}
