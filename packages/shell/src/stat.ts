import {
  type FileInfo,
  type FileTimes,
  formatDateTime,
  isErrno,
  type Program,
  strerror,
  type WallTime,
} from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import { kibibytes, modeText, ownerText } from './ls.js';

const TYPES = { directory: 'directory', symlink: 'symbolic link', file: 'regular file' } as const;

/** `stat [-c FORMAT] FILE…`. */
export const stat: Program = function* (argv, os) {
  const { flags, values, operands, error } = parseOptions(argv.slice(1), { flags: 'Lt', values: 'c' });
  const format = values.get('c');
  const unknown =
    format === undefined ? undefined : [...format.matchAll(/%(.?)/g)].find(([, letter]) => !(letter! in FIELDS));
  if (error !== undefined || operands.length === 0 || unknown !== undefined) {
    const reason = error ?? (unknown === undefined ? 'missing operand' : `${unknown[0]}: not served here`);
    os.printError(`stat: ${reason}\nTry \`stat --help' for more information.\n`);
    return 1;
  }
  let status = 0;
  for (const path of operands) {
    const info = yield* os.stat(path, flags.has('L'));
    const link = !isErrno(info) && info.type === 'symlink' ? yield* os.readLink(path) : 'EINVAL';
    const target = isErrno(link) ? undefined : link.target;
    if (isErrno(info)) {
      os.printError(`stat: cannot stat \`${path}': ${strerror(info)}\n`);
      status = 1;
    } else os.print(format === undefined ? report(path, info, target) : `${filled(format, path, info)}\n`);
  }
  return status;
};

/** What stands behind `%` in a format. */
const FIELDS: Readonly<Record<string, (info: FileInfo, path: string) => string | number>> = {
  '%': () => '%',
  a: ({ mode }) => (mode & 0o7777).toString(8),
  A: modeText,
  b: blocksOf,
  B: () => 512,
  F: typeOf,
  g: ({ gid }) => gid,
  G: ({ gid }) => ownerText(gid),
  h: ({ links }) => links,
  i: ({ inode }) => inode,
  n: (_info, path) => path,
  s: ({ size }) => size,
  u: ({ uid }) => uid,
  U: ({ uid }) => ownerText(uid),
  x: (info) => timeText(timesOf(info).accessed),
  X: (info) => timesOf(info).accessed.sec,
  y: (info) => timeText(timesOf(info).modified),
  z: (info) => timeText(timesOf(info).changed),
  Z: (info) => timesOf(info).changed.sec,
  Y: ({ modifiedAt }) => Math.floor(modifiedAt),
};

function filled(format: string, path: string, info: FileInfo): string {
  return format.replace(/%(.)/g, (_, letter: string) => String(FIELDS[letter]!(info, path)));
}

function report(path: string, info: FileInfo, target: string | undefined): string {
  const { mode, uid, gid, inode, links, size } = info;
  const { accessed, modified, changed } = timesOf(info);
  const owner = (id: number): string => `(${String(id).padStart(5)}/${ownerText(id).padStart(8)})`;
  return [
    `  File: \`${path}'${target === undefined ? '' : ` -> \`${target}'`}`,
    `  Size: ${String(size).padEnd(10)}\tBlocks: ${String(blocksOf(info)).padEnd(10)} IO Block: 4096   ${typeOf(info)}`,
    `Inode: ${String(inode).padEnd(10)}  Links: ${links}`,
    `Access: (${(mode & 0o7777).toString(8).padStart(4, '0')}/${modeText(info)})  Uid: ${owner(uid)}   Gid: ${owner(gid)}`,
    `Access: ${timeText(accessed)}`,
    `Modify: ${timeText(modified)}`,
    `Change: ${timeText(changed)}\n`,
  ].join('\n');
}

function typeOf({ type, size }: FileInfo): string {
  return type === 'file' && size === 0 ? 'regular empty file' : TYPES[type];
}

/** Of 512 bytes. */
function blocksOf({ size }: FileInfo): number {
  return kibibytes(size) * 2;
}

/** Where there is one time for all, as on the root file system, it is the three. */
function timesOf({ times, modifiedAt }: FileInfo): FileTimes {
  const only = { sec: modifiedAt, nsec: 0 };
  return times ?? { accessed: only, modified: only, changed: only };
}

function timeText({ sec, nsec }: WallTime): string {
  return `${formatDateTime(sec)}.${String(nsec).padStart(9, '0')} +0000`;
}
