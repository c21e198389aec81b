import { ACL_TAG, type AclEntry, NO_ACL_ID } from '@quorate/gfs2';
import type { AccountNames } from '../accounts.js';

/** AccountNames of users and of groups. */
export interface AclNames {
  readonly user: AccountNames;
  readonly group: AccountNames;
}

const WORDS: ReadonlyMap<number, string> = new Map([
  [ACL_TAG.USER_OBJ, 'user'],
  [ACL_TAG.USER, 'user'],
  [ACL_TAG.GROUP_OBJ, 'group'],
  [ACL_TAG.GROUP, 'group'],
  [ACL_TAG.MASK, 'mask'],
  [ACL_TAG.OTHER, 'other'],
]);

/** `user:alice:rw-`, with what the mask leaves of it if that is less. */
export function entryText(entry: AclEntry, acl: readonly AclEntry[], names: AclNames, prefix: string): string {
  const { tag, permissions, id } = entry;
  const who = tag === ACL_TAG.USER ? nameOf(names.user, id) : tag === ACL_TAG.GROUP ? nameOf(names.group, id) : '';
  const text = `${prefix}${WORDS.get(tag)}:${who}:${letters(permissions)}`;
  const mask = acl.find((other) => other.tag === ACL_TAG.MASK)?.permissions ?? 7;
  if (!isMasked(entry) || (permissions & ~mask) === 0) return `${text}\n`;
  return `${text}${'\t'.repeat(Math.max(1, 4 - Math.floor(text.length / 8)))}#effective:${letters(permissions & mask)}\n`;
}

function nameOf(names: AccountNames, id: number): string {
  return names.nameOf(id, String(id));
}

/** Entries that the mask is for. */
export function isMasked({ tag }: AclEntry): boolean {
  return tag === ACL_TAG.USER || tag === ACL_TAG.GROUP_OBJ || tag === ACL_TAG.GROUP;
}

function letters(permissions: number): string {
  return [...'rwx'].map((letter, i) => ((permissions >> (2 - i)) & 1 ? letter : '-')).join('');
}

/** What a word of `setfacl -m` or `-x` says. */
export interface ParsedEntry extends AclEntry {
  readonly isDefault: boolean;
}

/** Entries between commas: `u:alice:rw,d:g::r-x,m::r`; undefined when one is none. Without permissions they are 0. */
export function parseEntries(text: string, names: AclNames): readonly ParsedEntry[] | undefined {
  const entries = text.split(',').map((word) => parseEntry(word.trim(), names));
  return entries.every((entry) => entry !== undefined) ? (entries as ParsedEntry[]) : undefined;
}

function parseEntry(word: string, names: AclNames): ParsedEntry | undefined {
  const parts = word.split(':');
  const isDefault = parts.length > 1 && ['d', 'default'].includes(parts[0]!);
  if (isDefault) parts.shift();
  const [kind = '', who = ''] = parts;
  // `m:rw` and `o:r` may leave the empty name out.
  const isShort = parts.length === 2 && /^(m|mask|o|other)$/.test(kind);
  const permissions = permissionsOf(isShort ? who : (parts[2] ?? ''));
  const target = targetOf(kind, isShort ? '' : who, names);
  return permissions === undefined || target === undefined ? undefined : { ...target, permissions, isDefault };
}

function targetOf(kind: string, who: string, names: AclNames): Pick<AclEntry, 'tag' | 'id'> | undefined {
  const { USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER } = ACL_TAG;
  const named = (all: AccountNames, own: number, other: number) => {
    const id = who === '' ? NO_ACL_ID : all.idOf(who);
    return id === undefined ? undefined : { tag: who === '' ? own : other, id };
  };
  if (kind === 'u' || kind === 'user') return named(names.user, USER_OBJ, USER);
  if (kind === 'g' || kind === 'group') return named(names.group, GROUP_OBJ, GROUP);
  if (who !== '') return undefined;
  if (kind === 'm' || kind === 'mask') return { tag: MASK, id: NO_ACL_ID };
  return kind === 'o' || kind === 'other' ? { tag: OTHER, id: NO_ACL_ID } : undefined;
}

/** `rw`, `r-x`, `6`. */
function permissionsOf(text: string): number | undefined {
  if (/^[0-7]$/.test(text)) return Number(text);
  if (!/^[rwx-]*$/.test(text)) return undefined;
  return (text.includes('r') ? 4 : 0) | (text.includes('w') ? 2 : 0) | (text.includes('x') ? 1 : 0);
}
