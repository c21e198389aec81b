import { calendarTime, type Errno, isErrno, type Os, type Program, type Task, utf8Text } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';

const REASONS: Partial<Record<Errno, string>> = {
  EEXIST: 'File exists',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  ENOTEMPTY: 'Directory not empty',
};

function reasonOf(errno: Errno): string {
  return REASONS[errno] ?? errno;
}

/** `cat [file…]`; without a file what came in. */
export const cat: Program = function* (argv, os) {
  const paths = argv.slice(1);
  if (paths.length === 0) os.print(os.input);
  let status = 0;
  for (const path of paths) {
    const bytes = yield* os.readFile(path);
    if (isErrno(bytes)) {
      os.printError(`cat: ${path}: ${reasonOf(bytes)}\n`);
      status = 1;
    } else os.print(utf8Text(bytes));
  }
  return status;
};

/** `echo [-n] words`. */
export const echo: Program = function* (argv, os) {
  const isBare = argv[1] === '-n';
  os.print(argv.slice(isBare ? 2 : 1).join(' ') + (isBare ? '' : '\n'));
  return 0;
};

/** `ls [-l] [-a] [path…]`, sorted by name. */
export const ls: Program = function* (argv, os) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'la1', values: '' });
  if (error !== undefined) {
    os.printError(`ls: ${error}\n`);
    return 2;
  }
  let status = 0;
  for (const path of operands.length === 0 ? ['/root'] : operands) {
    const refused = yield* listOne(os, path, flags.has('l'));
    if (refused === undefined) continue;
    os.printError(`ls: cannot access ${path}: ${reasonOf(refused)}\n`);
    status = 2;
  }
  return status;
};

function* listOne(os: Os, path: string, isLong: boolean): Task<Errno | undefined> {
  const found = yield* os.stat(path);
  if (isErrno(found)) return found;
  if (found.type !== 'directory') {
    os.print(isLong ? yield* longLine(os, path, path) : `${path}\n`);
    return undefined;
  }
  const listed = yield* os.list(path);
  if (isErrno(listed)) return listed;
  const names = [...listed].filter((name) => !name.startsWith('.')).sort();
  for (const name of names) os.print(isLong ? yield* longLine(os, `${path}/${name}`, name) : `${name}\n`);
  return undefined;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function* longLine(os: Os, path: string, name: string): Task<string> {
  const found = yield* os.stat(path);
  if (isErrno(found)) return `?????????? ? ? ? ?            ? ${name}\n`;
  const type = found.type === 'directory' ? 'd' : found.type === 'symlink' ? 'l' : '-';
  const bits = [...'rwxrwxrwx'].map((letter, i) => (found.mode & (0o400 >> i) ? letter : '-')).join('');
  const { month, day, hour, minute } = calendarTime(found.modifiedAt);
  const clock = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
  const date = `${MONTHS[month - 1]} ${String(day).padStart(2)} ${clock}`;
  return `${type}${bits}. ${found.links} root root ${String(found.size).padStart(8)} ${date} ${name}\n`;
}

/** `mkdir directory…`. */
export const mkdir: Program = function* (argv, os) {
  return yield* each(argv, os, 'cannot create directory', (path) => os.makeDirectory(path));
};

/** `rm [-f] file…`. */
export const rm: Program = function* (argv, os) {
  return yield* each(argv, os, 'cannot remove', (path) => os.remove(path));
};

/** `rmdir directory…`. */
export const rmdir: Program = function* (argv, os) {
  return yield* each(argv, os, 'failed to remove', (path) => os.removeDirectory(path));
};

/** `mv from to`. */
export const mv: Program = function* (argv, os) {
  const [, from = '', to = ''] = argv;
  const refused = yield* os.rename(from, to);
  if (refused === undefined) return 0;
  os.printError(`mv: cannot move \`${from}' to \`${to}': ${reasonOf(refused)}\n`);
  return 1;
};

function* each(
  argv: readonly string[],
  os: Os,
  complaint: string,
  act: (path: string) => Task<Errno | undefined>,
): Task<number> {
  let status = 0;
  for (const path of argv.slice(1).filter((word) => !word.startsWith('-'))) {
    const refused = yield* act(path);
    if (refused === undefined) continue;
    os.printError(`${argv[0]}: ${complaint} \`${path}': ${reasonOf(refused)}\n`);
    status = 1;
  }
  return status;
}

/** `grep [-v] [-i] pattern`: the lines of what came in that contain the words of the pattern. */
export const grep: Program = function* (argv, os) {
  const { flags, operands } = parseOptions(argv.slice(1), { flags: 'vi', values: '' });
  const [pattern = ''] = operands;
  const fold = (text: string): string => (flags.has('i') ? text.toLowerCase() : text);
  const lines = os.input.split('\n').filter((line, i, all) => i < all.length - 1 || line !== '');
  const found = lines.filter((line) => fold(line).includes(fold(pattern)) !== flags.has('v'));
  for (const line of found) os.print(`${line}\n`);
  return found.length > 0 ? 0 : 1;
};
