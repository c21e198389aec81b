import {
  calendarTime,
  type Errno,
  type FileInfo,
  formatSyslogTime,
  isErrno,
  type Os,
  type Program,
  strerror,
  type Task,
} from '@quorate/kernel';
import { parseOptions } from '@quorate/node';

interface Entry {
  readonly name: string;
  readonly info: FileInfo;
}

/** `ls [-l] [-a] [path…]`, one name a line, sorted; of directories what they contain, without a path the one it is in. */
export const ls: Program = function* (argv, os) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'la1', values: '' });
  if (error !== undefined) {
    os.printError(`ls: ${error}\n`);
    return 2;
  }
  const paths = operands.length === 0 ? ['.'] : operands;
  const files: Entry[] = [];
  const directories: string[] = [];
  let status = 0;
  for (const path of paths) {
    const info = yield* os.stat(path);
    if (isErrno(info)) status = complain(os, path, info);
    else if (info.type === 'directory') directories.push(path);
    else files.push({ name: path, info });
  }
  printEntries(os, files, flags.has('l'));
  for (const [i, path] of directories.entries()) {
    if (i > 0 || files.length > 0) os.print('\n');
    if (paths.length > 1) os.print(`${path}:\n`);
    const entries = yield* entriesOf(os, path, flags.has('a'));
    if (isErrno(entries)) {
      status = complain(os, path, entries);
      continue;
    }
    if (flags.has('l')) os.print(`total ${entries.reduce((sum, { info }) => sum + kibibytes(info.size), 0)}\n`);
    printEntries(os, entries, flags.has('l'));
  }
  return status;
};

function complain(os: Os, path: string, errno: Errno): number {
  os.printError(`ls: cannot access ${path}: ${strerror(errno)}\n`);
  return 2;
}

/** The entries of a directory by name; one that is removed meanwhile is left out. */
function* entriesOf(os: Os, path: string, isAll: boolean): Task<readonly Entry[] | Errno> {
  const listed = yield* os.list(path);
  if (isErrno(listed)) return listed;
  const names = isAll ? ['.', '..', ...listed] : listed.filter((name) => !name.startsWith('.'));
  const entries: Entry[] = [];
  for (const name of [...names].sort()) {
    const info = yield* os.stat(`${path}/${name}`);
    if (!isErrno(info)) entries.push({ name, info });
  }
  return entries;
}

/** In blocks of 4 KiB. */
function kibibytes(size: number): number {
  return Math.ceil(size / 4096) * 4;
}

function printEntries(os: Os, entries: readonly Entry[], isLong: boolean): void {
  const width = (figure: (info: FileInfo) => number): number =>
    Math.max(0, ...entries.map(({ info }) => String(figure(info)).length));
  const links = width((info) => info.links);
  const sizes = width((info) => info.size);
  for (const { name, info } of entries) {
    if (!isLong) {
      os.print(`${name}\n`);
      continue;
    }
    const columns = [
      modeText(info),
      String(info.links).padStart(links),
      ownerText(info.uid),
      ownerText(info.gid),
      String(info.size).padStart(sizes),
      dateText(info.modifiedAt, os.wall().sec),
      name,
    ];
    os.print(`${columns.join(' ')}\n`);
  }
}

function modeText({ type, mode }: FileInfo): string {
  const letter = type === 'directory' ? 'd' : type === 'symlink' ? 'l' : '-';
  return letter + [...'rwxrwxrwx'].map((right, i) => (mode & (0o400 >> i) ? right : '-')).join('');
}

function ownerText(id: number): string {
  return id === 0 ? 'root' : String(id);
}

const HALF_A_YEAR_SEC = 15_778_476;

/** Month and day with the time, or with the year of what is older than half a year. */
function dateText(modifiedAt: number, now: number): string {
  const text = formatSyslogTime(modifiedAt);
  const isRecent = modifiedAt <= now && now - modifiedAt < HALF_A_YEAR_SEC;
  return isRecent ? text.slice(0, 12) : `${text.slice(0, 6)}  ${calendarTime(modifiedAt).year}`;
}
