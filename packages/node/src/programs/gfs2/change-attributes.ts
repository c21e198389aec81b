import { type Errno, isErrno, type Os, type Program, strerror, type Task } from '@quorate/kernel';
import { ask } from '../../os/mounted-files.js';
import { readAccounts } from '../accounts.js';
import { parseOptions } from '../options.js';
import { treesOf } from '../tree.js';
import { modeChange } from './file-mode.js';
import { type VolumePath, volumePath } from './mounted-volume.js';

/** `chmod [-R] MODE FILE…`, with an octal mode or one in letters. */
export function* chmod(argv: readonly string[], os: Os): Task<number> {
  // `-w` is a mode, and no option.
  const isOption = (word: string): boolean => /^-[Rcfv]+$|^--recursive$/.test(word);
  const options = argv.slice(1).filter(isOption);
  const [mode, ...paths] = argv.slice(1).filter((word) => !isOption(word) && word !== '--');
  if (mode === undefined || paths.length === 0) return usage(os, 'chmod');
  const change = modeChange(mode);
  if (change === undefined) {
    os.printError(`chmod: invalid mode: \`${mode}'\nTry \`chmod --help' for more information.\n`);
    return 1;
  }
  const call = function* ({ volume, path }: VolumePath): Task<undefined | Errno> {
    const stat = yield* ask(volume, { kind: 'stat', path });
    if (isErrno(stat)) return stat;
    return yield* ask(volume, { kind: 'chmod', path, mode: change(stat.mode & 0o7777, stat.type === 'directory') });
  };
  const isWhole = options.some((option) => option.includes('R') || option === '--recursive');
  return yield* each(os, yield* treesOf(os, paths, isWhole), 'chmod: changing permissions of', call);
}

/** `chown [-R] [OWNER][:GROUP] FILE…`, with names of /etc/passwd and /etc/group, or numbers. */
export const chown: Program = function* (argv, os) {
  const { flags, operands } = parseOptions(argv.slice(1), { flags: 'cfhvR', values: '' });
  const [owner, ...paths] = operands;
  if (owner === undefined || paths.length === 0) return usage(os, 'chown');
  const [user = '', group = ''] = owner.split(':');
  const uid = user === '' ? undefined : (yield* readAccounts(os, 'user')).idOf(user);
  const gid = group === '' ? undefined : (yield* readAccounts(os, 'group')).idOf(group);
  if ((user !== '' && uid === undefined) || (group !== '' && gid === undefined)) {
    os.printError(`chown: invalid ${uid === undefined && user !== '' ? 'user' : 'group'}: \`${owner}'\n`);
    return 1;
  }
  const call = ({ volume, path }: VolumePath) =>
    ask(volume, { kind: 'chown', path, ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) });
  return yield* each(os, yield* treesOf(os, paths, flags.has('R')), 'chown: changing ownership of', call);
};

function usage(os: Os, program: string): number {
  os.printError(`${program}: missing operand\nTry \`${program} --help' for more information.\n`);
  return 1;
}

/** Calls a file system for each path; files of the machine itself stay as they are, and nobody but root has them. */
function* each(
  os: Os,
  paths: readonly string[],
  doing: string,
  call: (at: VolumePath) => Task<undefined | Errno>,
): Task<number> {
  let status = 0;
  for (const path of paths) {
    const at = volumePath(os, path);
    const refused = at === undefined ? yield* isThere(os, path) : yield* call(at);
    if (!isErrno(refused)) continue;
    const what = refused === 'ENOENT' ? doing.replace(/: .*/, ': cannot access') : doing;
    os.printError(`${what} \`${path}': ${strerror(refused)}\n`);
    status = 1;
  }
  return status;
}

function* isThere(os: Os, path: string): Task<Errno | undefined> {
  const info = yield* os.stat(path);
  return isErrno(info) ? info : undefined;
}
