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
import { coreOptions } from './coreutils.js';

interface Entry {
  readonly name: string;
  readonly info: FileInfo;
  /** What a symbolic link names. */
  readonly target?: string;
}

/**
 * `ls [-laA1dhrRSt] [path…]`: one name a line, sorted by name, time (`-t`) or size (`-S`); of directories what they contain (with `-R`
 * of those in them too), without a path the one it is in.
 */
export const ls: Program = function* (argv, os) {
  const options = coreOptions(argv, os, { flags: 'laA1dhrRSt', long: LONG });
  if (options === undefined) return 2;
  const { flags, operands } = options;
  const paths = operands.length === 0 ? ['.'] : operands;
  const files: Entry[] = [];
  const directories: Entry[] = [];
  let status = 0;
  for (const path of paths) {
    const info = yield* os.stat(path, !flags.has('l') && !flags.has('d'));
    if (isErrno(info)) status = complain(os, path, info);
    else
      (info.type === 'directory' && !flags.has('d') ? directories : files).push(yield* entryOf(os, path, path, info));
  }
  printEntries(os, inOrder(files, flags), flags);
  const left = inOrder(directories, flags).map(({ name }) => name);
  const hasHeads = paths.length > 1 || flags.has('R');
  for (let isFirst = files.length === 0; left.length > 0; isFirst = false) {
    const path = left.shift()!;
    const entries = yield* entriesOf(os, path, flags);
    if (isErrno(entries)) {
      status = complain(os, path, entries);
      continue;
    }
    if (!isFirst) os.print('\n');
    if (hasHeads) os.print(`${path}:\n`);
    if (flags.has('l')) {
      const total = entries.reduce((sum, { info }) => sum + kibibytes(info.size), 0);
      os.print(`total ${flags.has('h') ? shortSize(total * 1024) : total}\n`);
    }
    printEntries(os, entries, flags);
    if (!flags.has('R')) continue;
    const inside = entries.filter(({ name, info }) => info.type === 'directory' && name !== '.' && name !== '..');
    left.unshift(...inside.map(({ name }) => `${path.replace(/\/$/, '')}/${name}`));
  }
  return status;
};

const LONG = {
  all: 'a',
  'almost-all': 'A',
  directory: 'd',
  'human-readable': 'h',
  recursive: 'R',
  reverse: 'r',
};

type Flags = ReadonlySet<string>;

function inOrder(entries: readonly Entry[], flags: Flags): readonly Entry[] {
  const byName = (a: Entry, b: Entry): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const sorted = [...entries].sort((a, b) => {
    if (flags.has('t')) return b.info.modifiedAt - a.info.modifiedAt || byName(a, b);
    return (flags.has('S') ? b.info.size - a.info.size : 0) || byName(a, b);
  });
  return flags.has('r') ? sorted.reverse() : sorted;
}

function complain(os: Os, path: string, errno: Errno): number {
  os.printError(`ls: cannot access ${path}: ${strerror(errno)}\n`);
  return 2;
}

/** The entries of a directory; one that is removed meanwhile is left out. */
function* entriesOf(os: Os, path: string, flags: Flags): Task<readonly Entry[] | Errno> {
  const listed = yield* os.list(path);
  if (isErrno(listed)) return listed;
  const isHidden = (name: string): boolean => name.startsWith('.') && !flags.has('A');
  const names = flags.has('a') ? ['.', '..', ...listed] : listed.filter((name) => !isHidden(name));
  const entries: Entry[] = [];
  for (const name of names) {
    const info = yield* os.stat(`${path}/${name}`, false);
    if (!isErrno(info)) entries.push(yield* entryOf(os, `${path}/${name}`, name, info));
  }
  return inOrder(entries, flags);
}

function* entryOf(os: Os, path: string, name: string, info: FileInfo): Task<Entry> {
  const link = info.type === 'symlink' ? yield* os.readLink(path) : 'EINVAL';
  return isErrno(link) ? { name, info } : { name, info, target: link.target };
}

/** As the blocks of 4 KiB take it that a size needs. */
export function kibibytes(size: number): number {
  return Math.ceil(size / 4096) * 4;
}

/** As `-h` shows it: `512`, `3.8K`, `20M`, rounded up. */
export function shortSize(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  const scaled = bytes / 1024 ** power;
  if (power === 0) return String(bytes);
  return `${scaled < 10 ? (Math.ceil(scaled * 10) / 10).toFixed(1) : Math.ceil(scaled)}${'KMGT'[power - 1]}`;
}

function printEntries(os: Os, entries: readonly Entry[], flags: Flags): void {
  const sizeText = ({ size }: FileInfo): string => (flags.has('h') ? shortSize(size) : String(size));
  const width = (text: (info: FileInfo) => string): number =>
    Math.max(0, ...entries.map(({ info }) => text(info).length));
  const links = width((info) => String(info.links));
  const sizes = width(sizeText);
  for (const { name, info, target } of entries) {
    if (!flags.has('l')) {
      os.print(`${name}\n`);
      continue;
    }
    const columns = [
      modeText(info),
      String(info.links).padStart(links),
      ownerText(info.uid),
      ownerText(info.gid),
      sizeText(info).padStart(sizes),
      dateText(info.modifiedAt, os.wall().sec),
      target === undefined ? name : `${name} -> ${target}`,
    ];
    os.print(`${columns.join(' ')}\n`);
  }
}

export function modeText({ type, mode }: FileInfo): string {
  const letter = type === 'directory' ? 'd' : type === 'symlink' ? 'l' : '-';
  return letter + [...'rwxrwxrwx'].map((right, i) => (mode & (0o400 >> i) ? right : '-')).join('');
}

export function ownerText(id: number): string {
  return id === 0 ? 'root' : String(id);
}

const HALF_A_YEAR_SEC = 15_778_476;

/** Month and day with the time, or with the year of what is older than half a year. */
function dateText(modifiedAt: number, now: number): string {
  const text = formatSyslogTime(modifiedAt);
  const isRecent = modifiedAt <= now && now - modifiedAt < HALF_A_YEAR_SEC;
  return isRecent ? text.slice(0, 12) : `${text.slice(0, 6)}  ${calendarTime(modifiedAt).year}`;
}
