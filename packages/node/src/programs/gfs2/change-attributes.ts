import { type Errno, isErrno, type Os, type Program, strerror, type Task } from '@quorate/kernel';
import { ask } from '../../os/mounted-files.js';
import { readAccounts } from '../accounts.js';
import { parseOptions } from '../options.js';
import { type VolumePath, volumePath } from './mounted-volume.js';

/** `chmod MODE FILE…`, with an octal mode. */
export function* chmod(argv: readonly string[], os: Os): Task<number> {
  const { operands } = parseOptions(argv.slice(1), { flags: 'cfv', values: '' });
  const [mode, ...paths] = operands;
  if (mode === undefined || paths.length === 0) return usage(os, 'chmod');
  if (!/^[0-7]{1,4}$/.test(mode)) {
    os.printError(`chmod: invalid mode: \`${mode}'\nTry \`chmod --help' for more information.\n`);
    return 1;
  }
  const call = (at: VolumePath) => ask(at.volume, { kind: 'chmod', path: at.path, mode: Number.parseInt(mode, 8) });
  return yield* each(os, paths, 'chmod: changing permissions of', call);
}

/** `chown [OWNER][:GROUP] FILE…`, with names of /etc/passwd and /etc/group, or numbers. */
export const chown: Program = function* (argv, os) {
  const { operands } = parseOptions(argv.slice(1), { flags: 'cfhv', values: '' });
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
  return yield* each(os, paths, 'chown: changing ownership of', call);
};

function usage(os: Os, program: string): number {
  os.printError(`${program}: missing operand\nTry \`${program} --help' for more information.\n`);
  return 1;
}

/** Calls a file system for each path; files of the machine itself are root's, and stay as they are. */
function* each(
  os: Os,
  paths: readonly string[],
  doing: string,
  call: (at: VolumePath) => Task<undefined | Errno>,
): Task<number> {
  let status = 0;
  for (const path of paths) {
    const at = volumePath(os, path);
    const refused = at === undefined ? 'EOPNOTSUPP' : yield* call(at);
    if (!isErrno(refused)) continue;
    os.printError(`${doing} \`${path}': ${strerror(refused)}\n`);
    status = 1;
  }
  return status;
}
