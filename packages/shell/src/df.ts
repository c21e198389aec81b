import {
  type FileSystemSpace,
  isErrno,
  type MountInfo,
  type Os,
  type Program,
  strerror,
  type Task,
} from '@quorate/kernel';
import { parseOptions } from '@quorate/node';

/** Columns behind the name of a file system: titles, and figures of the same widths. */
interface Columns {
  readonly title: string;
  row(space: FileSystemSpace): string;
}

const KIBIBYTES: Columns = {
  title: '1K-blocks      Used Available Use%',
  row: (space) => blockRow(space, 9, (bytes) => String(Math.ceil(bytes / 1024))),
};

const HUMAN: Columns = {
  title: ' Size  Used Avail Use%',
  row: (space) => blockRow(space, 5, humanSize),
};

const INODES: Columns = {
  title: ' Inodes   IUsed   IFree IUse%',
  row: ({ inodes, freeBlocks }) =>
    [inodes + freeBlocks, inodes, freeBlocks].map((count) => String(count).padStart(7)).join(' ') +
    ` ${percentage(inodes, freeBlocks).padStart(5)}`,
};

function blockRow(
  { blockSize, blocks, freeBlocks }: FileSystemSpace,
  width: number,
  text: (bytes: number) => string,
): string {
  const used = blocks - freeBlocks;
  const figures = [blocks, used, freeBlocks].map((count) => text(count * blockSize).padStart(width));
  return `${figures.join(' ')} ${percentage(used, freeBlocks).padStart(4)}`;
}

/** Of what is used and what is free, rounded up. */
function percentage(used: number, free: number): string {
  return used + free === 0 ? '-' : `${Math.ceil((100 * used) / (used + free))}%`;
}

const UNITS = ['', 'K', 'M', 'G', 'T', 'P'];

/** `1.4G`, `20G`: rounded up. */
function humanSize(bytes: number): string {
  let [size, unit] = [bytes, 0];
  for (; size >= 1024; unit += 1) size /= 1024;
  const short = Math.ceil(size * 10) / 10;
  const text = unit > 0 && short < 10 ? short.toFixed(1) : String(Math.ceil(size));
  return `${text}${UNITS[unit]}`;
}

/** `df [-h|-i] [FILE…]`: how full mounted file systems are. The root file system of a machine has no end. */
export const df: Program = function* (argv, os) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'hiklP', values: 't' });
  if (error !== undefined) {
    os.printError(`df: ${error}\nTry \`df --help' for more information.\n`);
    return 1;
  }
  const columns = flags.has('i') ? INODES : flags.has('h') ? HUMAN : KIBIBYTES;
  let status = 0;
  const rows: string[] = [];
  const mounts = operands.length === 0 ? os.mounts() : [];
  for (const operand of operands) {
    const found = yield* os.stat(operand);
    const mount = isErrno(found) ? undefined : mountOf(os, operand);
    if (mount !== undefined) rows.push(yield* rowOf(os, mount, columns, flags.has('P')));
    else {
      const reason = isErrno(found) ? strerror(found) : 'is on the root file system, which takes what memory there is';
      os.printError(`df: \`${operand}': ${reason}\n`);
      status = 1;
    }
  }
  for (const mount of mounts) rows.push(yield* rowOf(os, mount, columns, flags.has('P')));
  if (rows.length === 0 && status === 0) os.printError('df: no file systems processed\n');
  if (rows.length === 0) return 1;
  os.print(`${'Filesystem'.padEnd(20)} ${columns.title} Mounted on\n${rows.join('')}`);
  return status;
};

function mountOf(os: Os, path: string): MountInfo | undefined {
  return os.mounts().find(({ directory }) => path === directory || path.startsWith(`${directory}/`));
}

/** A name that is too long for its column has a line of its own, unless `-P` forbids it. */
function* rowOf(os: Os, { device, directory }: MountInfo, columns: Columns, isOneLine: boolean): Task<string> {
  const space = yield* os.space(directory);
  const figures = isErrno(space) ? '-' : columns.row(space);
  const name = device.length > 20 && !isOneLine ? `${device}\n${''.padEnd(20)}` : device.padEnd(20);
  return `${name} ${figures} ${directory}\n`;
}
