import { type Errno, isErrno, type Os, type Program, strerror, type Task } from '@quorate/kernel';
import { fileIn } from '@quorate/node';

/** `mkdir directory…`. */
export const mkdir: Program = function* (argv, os) {
  return yield* each(argv, os, 'cannot create directory', (path) => os.makeDirectory(path));
};

/** `rmdir directory…`. */
export const rmdir: Program = function* (argv, os) {
  return yield* each(argv, os, 'failed to remove', (path) => os.removeDirectory(path));
};

/** `touch file…`: makes those that are not there; the times of the others stay. */
export const touch: Program = function* (argv, os) {
  return yield* each(argv, os, 'cannot touch', function* (path) {
    const found = yield* os.stat(path);
    if (!isErrno(found)) return undefined;
    const written = yield* os.writeFile(path, new Uint8Array(0), { append: true });
    return isErrno(written) ? written : undefined;
  });
};

/** `sync file…`: waits until the files are on stable storage. */
export const sync: Program = function* (argv, os) {
  return yield* each(argv, os, 'error syncing', (path) => os.sync(path));
};

/** `rm [-f] file…`; `-f` says nothing of files that are not there. */
export const rm: Program = function* (argv, os) {
  const isForced = argv.includes('-f');
  return yield* each(argv, os, 'cannot remove', function* (path) {
    const refused = yield* os.remove(path);
    return isForced && refused === 'ENOENT' ? undefined : refused;
  });
};

/** Does something to every operand and complains of those to which it could not be done. */
function* each(
  argv: readonly string[],
  os: Os,
  complaint: string,
  act: (path: string) => Task<Errno | undefined>,
): Task<number> {
  const paths = argv.slice(1).filter((word) => !word.startsWith('-'));
  if (paths.length === 0) {
    os.printError(`${argv[0]}: missing operand\n`);
    return 1;
  }
  let status = 0;
  for (const path of paths) {
    const refused = yield* act(path);
    if (refused === undefined) continue;
    os.printError(`${argv[0]}: ${complaint} \`${path}': ${strerror(refused)}\n`);
    status = 1;
  }
  return status;
}

/** `mv from to`: renames a file, or moves it into a directory, from one file system to another too. */
export const mv: Program = function* (argv, os) {
  return yield* transfer(argv, os, 'move', function* (from, to) {
    const refused = yield* os.rename(from, to);
    if (refused !== 'EXDEV') return refused;
    return (yield* copy(os, from, to)) ?? (yield* os.remove(from));
  });
};

/** `cp from to`: copies a file, or into a directory. */
export const cp: Program = function* (argv, os) {
  return yield* transfer(argv, os, 'copy', (from, to) => copy(os, from, to));
};

function* copy(os: Os, from: string, to: string): Task<Errno | undefined> {
  const bytes = yield* os.readFile(from);
  if (isErrno(bytes)) return bytes;
  const written = yield* os.writeFile(to, bytes);
  return isErrno(written) ? written : undefined;
}

function* transfer(
  argv: readonly string[],
  os: Os,
  verb: 'move' | 'copy',
  act: (from: string, to: string) => Task<Errno | undefined>,
): Task<number> {
  const [from, to] = argv.slice(1).filter((word) => !word.startsWith('-'));
  if (from === undefined || to === undefined) {
    os.printError(`${argv[0]}: missing ${from === undefined ? '' : 'destination '}file operand\n`);
    return 1;
  }
  const refused = yield* act(from, yield* fileIn(os, to, from.slice(from.lastIndexOf('/') + 1)));
  if (refused === undefined) return 0;
  os.printError(`${argv[0]}: cannot ${verb} \`${from}' to \`${to}': ${strerror(refused)}\n`);
  return 1;
}
