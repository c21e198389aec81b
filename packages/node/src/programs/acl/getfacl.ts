import { isErrno, type Os, strerror, type Task } from '@quorate/kernel';
import { type AccountKind, AccountNames, readAccounts } from '../accounts.js';
import { volumePath } from '../gfs2/mounted-volume.js';
import { parseOptions } from '../options.js';
import { treesOf } from '../tree.js';
import { aclOfMode, type FileAcls, readAcls } from './acl-of-file.js';
import { type AclNames, entryText } from './acl-text.js';

/**
 * `getfacl [-a|-d] [-c] [-n] [-p] [-R] FILE…`: access control lists of files, with `-R` of all below them too.
 *
 * Source: getfacl(1) of acl 2.2.49.
 */
export function* getfacl(argv: readonly string[], os: Os): Task<number> {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'adcnpesRLPt', values: '' });
  if (error !== undefined || operands.length === 0) {
    os.printError(error === undefined ? 'Usage: getfacl [-aceEsRLPtpndvh] file ...\n' : `getfacl: ${error}\n`);
    return 2;
  }
  const namesOf = function* (type: AccountKind): Task<AccountNames> {
    return flags.has('n') ? new AccountNames(type, new Map()) : yield* readAccounts(os, type);
  };
  const names: AclNames = { user: yield* namesOf('user'), group: yield* namesOf('group') };
  let status = 0;
  let hasWarned = flags.has('p') || flags.has('c');
  for (const path of yield* treesOf(os, operands, flags.has('R'))) {
    const acls = yield* aclsOf(os, path);
    if (isErrno(acls)) {
      os.printError(`getfacl: ${path}: ${strerror(acls)}\n`);
      status = 1;
      continue;
    }
    if (path.startsWith('/') && !hasWarned) {
      os.printError("getfacl: Removing leading '/' from absolute path names\n");
      hasWarned = true;
    }
    os.print(reportOf(flags.has('p') ? path : path.replace(/^\/+(?=.)/, ''), acls, names, flags));
  }
  return status;
}

/** Files of the machine itself are root's and have no lists. */
function* aclsOf(os: Os, path: string) {
  const at = volumePath(os, path);
  if (at !== undefined) return yield* readAcls(at);
  const found = yield* os.stat(path);
  if (isErrno(found)) return found;
  return { stat: { mode: found.mode, uid: 0, gid: 0 }, access: aclOfMode(found.mode), default: [] };
}

type Shown = Pick<FileAcls, 'access' | 'default'> & { readonly stat: Pick<FileAcls['stat'], 'mode' | 'uid' | 'gid'> };

function reportOf(path: string, { stat, ...acls }: Shown, names: AclNames, flags: ReadonlySet<string>): string {
  const name = (of: 'user' | 'group', id: number): string => names[of].nameOf(id, String(id));
  const special = [...'sst'].map((letter, i) => ((stat.mode >> (11 - i)) & 1 ? letter : '-')).join('');
  const head = `# file: ${path}\n# owner: ${name('user', stat.uid)}\n# group: ${name('group', stat.gid)}\n`;
  const lines = flags.has('c') ? [] : [head, special === '---' ? '' : `# flags: ${special}\n`];
  if (!flags.has('d')) lines.push(...acls.access.map((entry) => entryText(entry, acls.access, names, '')));
  if (!flags.has('a')) {
    const prefix = flags.has('d') ? '' : 'default:';
    lines.push(...acls.default.map((entry) => entryText(entry, acls.default, names, prefix)));
  }
  return `${lines.join('')}\n`;
}
