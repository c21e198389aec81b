import { type Errno, isErrno, type Os, type Program, strerror, type Task } from '@quorate/kernel';
import { fileIn } from '@quorate/node';
import { coreOptions } from './coreutils.js';

/** `ln -s [-f] [-n] TARGET… [LINK|DIRECTORY]`: symbolic links, on GFS2. */
export const ln: Program = function* (argv, os) {
  const options = coreOptions(argv, os, { flags: 'sfnTv', long: { symbolic: 's', force: 'f', 'no-dereference': 'n' } });
  if (options === undefined) return 1;
  const { flags, operands } = options;
  if (operands.length === 0) {
    os.printError("ln: missing file operand\nTry `ln --help' for more information.\n");
    return 1;
  }
  const targets = operands.length === 1 ? operands : operands.slice(0, -1);
  const place = operands.length === 1 ? '.' : operands.at(-1)!;
  let status = 0;
  for (const target of targets) {
    const name = target.replace(/(.)\/+$/, '$1').replace(/^.*\/(?=.)/, '');
    const isKept = flags.has('n') || flags.has('T');
    const path = isKept ? place : yield* fileIn(os, place, name);
    const refused = flags.has('s') ? yield* link(os, target, path, flags.has('f')) : 'EPERM';
    if (refused === undefined) continue;
    const kind = flags.has('s') ? 'symbolic' : 'hard';
    os.printError(
      `ln: creating ${kind} link \`${path}'${kind === 'hard' ? ` => \`${target}'` : ''}: ${strerror(refused)}\n`,
    );
    status = 1;
  }
  return status;
};

function* link(os: Os, target: string, path: string, isForced: boolean): Task<Errno | undefined> {
  if (isForced) yield* os.remove(path);
  return yield* os.makeSymlink(target, path);
}

/** `readlink [-f] FILE`: what a symbolic link names; with `-f` the file that is meant in the end. */
export const readlink: Program = function* (argv, os) {
  const options = coreOptions(argv, os, { flags: 'fen' });
  if (options === undefined) return 1;
  let status = 0;
  for (const path of options.operands) {
    const named = options.flags.has('f') ? yield* meant(os, path) : yield* os.readLink(path);
    if (isErrno(named)) status = 1;
    else os.print(`${named.target}${options.flags.has('n') ? '' : '\n'}`);
  }
  return status;
};

/** Links that lead to links at most. */
const LINKS_MAX = 40;

function* meant(os: Os, given: string): Task<{ readonly target: string }> {
  let path = given.startsWith('/') ? given : `${os.directory.replace(/\/$/, '')}/${given}`;
  for (let i = 0; i < LINKS_MAX; i++) {
    const link = yield* os.readLink(path);
    if (isErrno(link)) break;
    path = link.target.startsWith('/') ? link.target : `${path.slice(0, path.lastIndexOf('/'))}/${link.target}`;
  }
  return { target: path };
}
