import { type Errno, isErrno, type Os, type Program, strerror, type Task } from '@quorate/kernel';
import { fileIn } from '@quorate/node';
import { coreOptions } from './coreutils.js';

/** `mkdir [-p] directory…`: with `-p` the ones above it too, and no complaint of one that is there. */
export const mkdir: Program = function* (argv, os) {
  const options = coreOptions(argv, os, { flags: 'p', long: { parents: 'p' } });
  if (options === undefined) return 1;
  const make = options.flags.has('p') ? makeParents : (_os: Os, path: string) => os.makeDirectory(path);
  return yield* each(argv[0]!, options.operands, os, 'cannot create directory', (path) => make(os, path));
};

function* makeParents(os: Os, path: string): Task<Errno | undefined> {
  for (let at = path.indexOf('/', 1); ; at = path.indexOf('/', at + 1)) {
    const part = at < 0 ? path : path.slice(0, at);
    const found = yield* os.stat(part);
    if (!isErrno(found) && found.type !== 'directory') return at < 0 ? 'EEXIST' : 'ENOTDIR';
    const refused = isErrno(found) ? yield* os.makeDirectory(part) : undefined;
    // Another node may have made it meanwhile.
    if (refused !== undefined && refused !== 'EEXIST') return refused;
    if (at < 0) return undefined;
  }
}

/** `rmdir directory…`. */
export const rmdir: Program = function* (argv, os) {
  const options = coreOptions(argv, os, { flags: '' });
  if (options === undefined) return 1;
  return yield* each(argv[0]!, options.operands, os, 'failed to remove', (path) => os.removeDirectory(path));
};

/** `touch file…`: makes those that are not there; the times of the others stay. */
export const touch: Program = function* (argv, os) {
  const options = coreOptions(argv, os, { flags: '' });
  if (options === undefined) return 1;
  return yield* each(argv[0]!, options.operands, os, 'cannot touch', function* (path) {
    const found = yield* os.stat(path);
    if (!isErrno(found)) return undefined;
    const written = yield* os.writeFile(path, new Uint8Array(0), { append: true });
    return isErrno(written) ? written : undefined;
  });
};

/** `sync [file…]`: waits until the files are on stable storage; without any, all that this node has written. */
export const sync: Program = function* (argv, os) {
  const options = coreOptions(argv, os, { flags: '' });
  if (options === undefined) return 1;
  const { operands } = options;
  const mounted = os.mounts().flatMap(({ type, directory }) => (type === 'gfs2' ? [directory] : []));
  if (operands.length === 0 && mounted.length === 0) return 0;
  const paths = operands.length === 0 ? mounted : operands;
  return yield* each(argv[0]!, paths, os, 'error syncing', (path) => os.sync(path));
};

/** `rm [-f] [-r] file…`: with `-r` whole trees; `-f` says nothing of files that are not there. */
export const rm: Program = function* (argv, os) {
  const options = coreOptions(argv, os, { flags: 'frR', long: { force: 'f', recursive: 'r' } });
  if (options === undefined) return 1;
  const { flags, operands } = options;
  const isForced = flags.has('f');
  if (isForced && operands.length === 0) return 0;
  const isWhole = flags.has('r') || flags.has('R');
  let status = 0;
  const complain = (path: string, reason: string): void => {
    os.printError(`rm: cannot remove \`${path}': ${reason}\n`);
    status = 1;
  };
  if (operands.length === 0) return missingOperand(os, 'rm', '');
  for (const path of operands) {
    const found = yield* os.stat(path, false);
    if (isWhole && !isErrno(found) && found.type === 'directory') yield* removeTree(os, path, complain);
    else {
      const refused = yield* os.remove(path);
      if (refused !== undefined && !(isForced && refused === 'ENOENT')) complain(path, strerror(refused));
    }
  }
  return status;
};

function* removeTree(os: Os, path: string, complain: (path: string, reason: string) => void): Task {
  const names = yield* os.list(path);
  if (isErrno(names)) return complain(path, strerror(names));
  for (const name of names) {
    const child = `${path}/${name}`;
    const found = yield* os.stat(child, false);
    if (!isErrno(found) && found.type === 'directory') yield* removeTree(os, child, complain);
    else {
      const refused = yield* os.remove(child);
      if (refused !== undefined) complain(child, strerror(refused));
    }
  }
  const refused = yield* os.removeDirectory(path);
  if (refused !== undefined) complain(path, strerror(refused));
}

/** Does something to every operand and complains of those to which it could not be done. */
function* each(
  name: string,
  paths: readonly string[],
  os: Os,
  complaint: string,
  act: (path: string) => Task<Errno | undefined>,
): Task<number> {
  if (paths.length === 0) return missingOperand(os, name, '');
  let status = 0;
  for (const path of paths) {
    const refused = yield* act(path);
    if (refused === undefined) continue;
    os.printError(`${name}: ${complaint} \`${path}': ${strerror(refused)}\n`);
    status = 1;
  }
  return status;
}

/** `mv from… to`: renames a file, or moves files into a directory, from one file system to another too. */
export const mv: Program = function* (argv, os) {
  const options = coreOptions(argv, os, { flags: 'f', long: { force: 'f' } });
  if (options === undefined) return 1;
  return yield* transfer('mv', options.operands, os, function* (from, to) {
    const refused = yield* os.rename(from, to);
    if (refused === undefined) return 0;
    const failure = refused !== 'EXDEV' ? refused : ((yield* copy(os, from, to)) ?? (yield* os.remove(from)));
    return failure === undefined ? 0 : complain(os, 'mv', `cannot move \`${from}' to \`${to}': ${strerror(failure)}`);
  });
};

/** `cp [-r] from… to`: copies files, or into a directory; with `-r` (or `-a`) whole trees. */
export const cp: Program = function* (argv, os) {
  const long = { recursive: 'r', archive: 'a', force: 'f' };
  const options = coreOptions(argv, os, { flags: 'rRafp', long });
  if (options === undefined) return 1;
  const isWhole = ['r', 'R', 'a'].some((flag) => options.flags.has(flag));
  return yield* transfer('cp', options.operands, os, (from, to) => copyEntry(os, from, to, isWhole));
};

function* copyEntry(os: Os, from: string, to: string, isWhole: boolean): Task<number> {
  const found = yield* os.stat(from);
  if (isErrno(found)) return complain(os, 'cp', `cannot stat \`${from}': ${strerror(found)}`);
  if (found.type !== 'directory') {
    const refused = yield* copy(os, from, to);
    return refused === undefined ? 0 : complain(os, 'cp', `cannot create regular file \`${to}': ${strerror(refused)}`);
  }
  if (!isWhole) {
    os.printError(`cp: omitting directory \`${from}'\n`);
    return 1;
  }
  // Read first: the copy may be made inside.
  const names = yield* os.list(from);
  if (isErrno(names)) return complain(os, 'cp', `cannot access \`${from}': ${strerror(names)}`);
  const refused = yield* makeParents(os, to);
  if (refused !== undefined) return complain(os, 'cp', `cannot create directory \`${to}': ${strerror(refused)}`);
  let status = 0;
  for (const name of names) status |= yield* copyEntry(os, `${from}/${name}`, `${to}/${name}`, true);
  return status;
}

function* copy(os: Os, from: string, to: string): Task<Errno | undefined> {
  const bytes = yield* os.readFile(from);
  if (isErrno(bytes)) return bytes;
  const written = yield* os.writeFile(to, bytes);
  return isErrno(written) ? written : undefined;
}

function* transfer(
  name: string,
  operands: readonly string[],
  os: Os,
  act: (from: string, to: string) => Task<number>,
): Task<number> {
  const target = operands.at(-1);
  const sources = operands.slice(0, -1);
  if (target === undefined) return missingOperand(os, name, '', 'file ');
  if (sources.length === 0) return missingOperand(os, name, ` after \`${target}'`, 'destination file ');
  const found = yield* os.stat(target);
  const isDirectory = !isErrno(found) && found.type === 'directory';
  if (sources.length > 1 && !isDirectory) return complain(os, name, `target \`${target}' is not a directory`);
  let status = 0;
  for (const source of sources) {
    const path = source.replace(/(.)\/+$/, '$1');
    status |= yield* act(source, yield* fileIn(os, target, path.slice(path.lastIndexOf('/') + 1)));
  }
  return status;
}

function complain(os: Os, name: string, reason: string): number {
  os.printError(`${name}: ${reason}\n`);
  return 1;
}

function missingOperand(os: Os, name: string, where: string, what: string = ''): number {
  os.printError(`${name}: missing ${what}operand${where}\nTry \`${name} --help' for more information.\n`);
  return 1;
}
