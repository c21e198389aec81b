import { type Errno, isErrno, type Os, type Program, strerror, type Task, utf8Text } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';

/** Reads what a program gets: its files, one after the other, or what came in. Complaints are printed as they come. */
function* readAll(
  os: Os,
  program: string,
  paths: readonly string[],
  take: (text: string, path: string) => void,
): Task<number> {
  if (paths.length === 0) take(os.input, '');
  let status = 0;
  for (const path of paths) {
    const bytes = yield* os.readFile(path);
    if (isErrno(bytes)) {
      os.printError(`${program}: ${path}: ${strerror(bytes)}\n`);
      status = 1;
    } else take(utf8Text(bytes), path);
  }
  return status;
}

/** The lines of a text, without an empty one behind its last line end. */
function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** `cat [file…]`; without a file what came in. */
export const cat: Program = function* (argv, os) {
  return yield* readAll(os, 'cat', argv.slice(1), (text) => os.print(text));
};

/** `tail [-n lines] [file…]`: the last lines, ten unless told. */
export const tail: Program = function* (argv, os) {
  const options = parseOptions(argv.slice(1), { flags: '', values: 'n' });
  const count = options.number('n', 10);
  return yield* readAll(os, 'tail', options.operands, (text, path) => {
    if (options.operands.length > 1) os.print(`==> ${path} <==\n`);
    for (const line of linesOf(text).slice(count > 0 ? -count : Infinity)) os.print(`${line}\n`);
  });
};

/** `grep [-v] [-i] pattern [file…]`: the lines that contain the words of the pattern, which is no regular expression here. */
export const grep: Program = function* (argv, os) {
  const { flags, operands } = parseOptions(argv.slice(1), { flags: 'vi', values: '' });
  const [pattern, ...paths] = operands;
  if (pattern === undefined) {
    os.printError('Usage: grep [-v] [-i] pattern [file...]\n');
    return 2;
  }
  const fold = (text: string): string => (flags.has('i') ? text.toLowerCase() : text);
  let hasFound = false;
  const failed = yield* readAll(os, 'grep', paths, (text, path) => {
    const found = linesOf(text).filter((line) => fold(line).includes(fold(pattern)) !== flags.has('v'));
    for (const line of found) os.print(paths.length > 1 ? `${path}:${line}\n` : `${line}\n`);
    hasFound ||= found.length > 0;
  });
  return failed !== 0 ? 2 : hasFound ? 0 : 1;
};

/** `echo [-n] words`. */
export const echo: Program = function* (argv, os) {
  const isBare = argv[1] === '-n';
  os.print(argv.slice(isBare ? 2 : 1).join(' ') + (isBare ? '' : '\n'));
  return 0;
};

/** `mkdir directory…`. */
export const mkdir: Program = function* (argv, os) {
  return yield* each(argv, os, 'cannot create directory', (path) => os.makeDirectory(path));
};

/** `rmdir directory…`. */
export const rmdir: Program = function* (argv, os) {
  return yield* each(argv, os, 'failed to remove', (path) => os.removeDirectory(path));
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
  const target = yield* os.stat(to);
  const isInto = !isErrno(target) && target.type === 'directory';
  const refused = yield* act(from, isInto ? `${to}/${from.slice(from.lastIndexOf('/') + 1)}` : to);
  if (refused === undefined) return 0;
  os.printError(`${argv[0]}: cannot ${verb} \`${from}' to \`${to}': ${strerror(refused)}\n`);
  return 1;
}
