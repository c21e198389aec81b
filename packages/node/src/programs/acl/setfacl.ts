import { ACL_TAG, type AclEntry, NO_ACL_ID } from '@quorate/gfs2';
import { type Errno, isErrno, type Os, strerror, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { readAccounts } from '../accounts.js';
import { type VolumePath, volumePath } from '../gfs2/mounted-volume.js';
import { parseOptions } from '../options.js';
import { treesOf } from '../tree.js';
import { type AclKind, type FileAcls, readAcls, writeAcl } from './acl-of-file.js';
import { type AclNames, isMasked, type ParsedEntry, parseEntries } from './acl-text.js';

/** What is to be done with the lists of each file. */
interface Changes {
  readonly set: readonly ParsedEntry[];
  readonly remove: readonly ParsedEntry[];
  /** The access list becomes what the mode says (`-b`), the default list goes (`-b`, `-k`). */
  readonly isBare: boolean;
  readonly dropsDefault: boolean;
  /** The mask stays as it is (`-n`). */
  readonly keepsMask: boolean;
}

/**
 * `setfacl [-b] [-k] [-d] [-n] [-R] [-m ENTRIES] [-x ENTRIES] [-M FILE] [-X FILE] FILE…`: changes access control lists; `-M` and `-X`
 * read entries from a file, or with `-` from what comes in. The mask becomes what all named
 * entries and the owning group have together, unless it is given.
 *
 * Source: setfacl(1) of acl 2.2.49.
 */
export function* setfacl(argv: readonly string[], os: Os): Task<number> {
  const { flags, values, operands, error } = parseOptions(argv.slice(1), { flags: 'bkdnR', values: 'mxMX' });
  const isNothing = !flags.has('b') && !flags.has('k') && values.size === 0;
  if (error !== undefined || operands.length === 0 || isNothing) {
    os.printError(
      `${error === undefined ? '' : `setfacl: ${error}\n`}Usage: setfacl [-bkndRLP] { -m|-M|-x|-X ... } file ...\n`,
    );
    return 2;
  }
  const names: AclNames = { user: yield* readAccounts(os, 'user'), group: yield* readAccounts(os, 'group') };
  const parsed = new Map<string, readonly ParsedEntry[]>();
  for (const [option, given] of values) {
    const isFile = option === 'M' || option === 'X';
    const text = isFile ? yield* entriesIn(os, given) : given;
    if (text === undefined) return 1;
    const entries = text === '' && isFile ? [] : parseEntries(text, names);
    if (entries === undefined) {
      const where = isFile ? `${given}: Invalid argument` : `Option -${option}: Invalid argument near character 1`;
      os.printError(`setfacl: ${where}\n`);
      return 2;
    }
    const kind = option.toLowerCase();
    parsed.set(kind, [
      ...(parsed.get(kind) ?? []),
      ...entries.map((entry) => ({ ...entry, isDefault: entry.isDefault || flags.has('d') })),
    ]);
  }
  const changes: Changes = {
    set: parsed.get('m') ?? [],
    remove: parsed.get('x') ?? [],
    isBare: flags.has('b'),
    dropsDefault: flags.has('b') || flags.has('k'),
    keepsMask: flags.has('n'),
  };
  let status = 0;
  for (const path of yield* treesOf(os, operands, flags.has('R'))) {
    const at = volumePath(os, path);
    const found = at === undefined ? yield* os.stat(path) : undefined;
    const failed =
      at !== undefined ? yield* change(at, changes, flags.has('R')) : isErrno(found) ? found : 'EOPNOTSUPP';
    if (failed === undefined) continue;
    os.printError(`setfacl: ${path}: ${strerror(failed)}\n`);
    status = 1;
  }
  return status;
}

/** The entries of a file, which may be what `getfacl` printed, between commas; undefined when it cannot be read. */
function* entriesIn(os: Os, path: string): Task<string | undefined> {
  const bytes = path === '-' ? utf8Bytes(os.input) : yield* os.readFile(path);
  if (isErrno(bytes)) {
    os.printError(`setfacl: ${path}: ${strerror(bytes)}\n`);
    return undefined;
  }
  const lines = utf8Text(bytes).split('\n');
  return lines
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean)
    .join(',');
}

/** Of a whole tree (`isOfTree`) only directories have a default list. */
function* change(at: VolumePath, changes: Changes, isOfTree: boolean): Task<Errno | undefined> {
  const acls = yield* readAcls(at);
  if (isErrno(acls)) return acls;
  for (const kind of ['access', 'default'] as const) {
    if (kind === 'default' && isOfTree && acls.stat.type !== 'directory') continue;
    const next = changed(acls, kind, changes);
    if (next === undefined) continue;
    const failed = yield* writeAcl(at, kind, next);
    if (failed !== undefined) return failed;
  }
  return undefined;
}

/** The list as it is to be; undefined when it stays. */
function changed(acls: FileAcls, kind: AclKind, changes: Changes): readonly AclEntry[] | undefined {
  const isOfKind = ({ isDefault }: ParsedEntry): boolean => isDefault === (kind === 'default');
  const [set, remove] = [changes.set.filter(isOfKind), changes.remove.filter(isOfKind)];
  const isEmptied = kind === 'access' ? changes.isBare : changes.dropsDefault;
  if (set.length + remove.length === 0 && !isEmptied) return undefined;
  let entries = acls[kind].filter((entry) => !isEmptied || (kind === 'access' && BASE.has(entry.tag)));
  entries = entries.filter((entry) => ![...set, ...remove].some((other) => isSame(entry, other)));
  entries.push(...set.map(({ tag, permissions, id }) => ({ tag, permissions, id })));
  if (entries.length === 0) return [];
  // A default list is begun with what the access list gives.
  for (const base of acls.access)
    if (BASE.has(base.tag) && !entries.some((entry) => isSame(entry, base))) entries.push(base);
  return inOrder(withMask(entries, set, changes.keepsMask));
}

const BASE: ReadonlySet<number> = new Set([ACL_TAG.USER_OBJ, ACL_TAG.GROUP_OBJ, ACL_TAG.OTHER]);

function isSame(one: AclEntry, other: AclEntry): boolean {
  return one.tag === other.tag && one.id === other.id;
}

function withMask(entries: readonly AclEntry[], set: readonly AclEntry[], isKept: boolean): AclEntry[] {
  const isNeeded = entries.some(({ tag }) => tag === ACL_TAG.USER || tag === ACL_TAG.GROUP);
  const held = entries.find(({ tag }) => tag === ACL_TAG.MASK);
  const isGiven = set.some(({ tag }) => tag === ACL_TAG.MASK);
  if (held !== undefined && (isGiven || isKept)) return [...entries];
  const others = entries.filter(({ tag }) => tag !== ACL_TAG.MASK);
  // One that was needed once stays.
  if (!isNeeded && held === undefined) return others;
  const permissions = others.filter(isMasked).reduce((all, entry) => all | entry.permissions, 0);
  return [...others, { tag: ACL_TAG.MASK, permissions, id: NO_ACL_ID }];
}

function inOrder(entries: readonly AclEntry[]): readonly AclEntry[] {
  return [...entries].sort((a, b) => a.tag - b.tag || a.id - b.id);
}
