import type { Stat } from '@quorate/gfs2/client';
import Table from 'cli-table3';

const TYPE_LETTERS: ReadonlyMap<number, string> = new Map([
  [0o040000, 'd'],
  [0o100000, '-'],
  [0o120000, 'l'],
  [0o060000, 'b'],
  [0o020000, 'c'],
  [0o010000, 'p'],
  [0o140000, 's'],
]);

/** `drwxr-sr-t`. */
export function modeText(mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = mode >> shift;
    const isExecutable = (bits & 1) !== 0;
    const isSpecial = (mode & special) !== 0;
    const last = isSpecial ? (isExecutable ? letter : letter.toUpperCase()) : isExecutable ? 'x' : '-';
    return `${(bits & 4) === 0 ? '-' : 'r'}${(bits & 2) === 0 ? '-' : 'w'}${last}`;
  };
  const type = TYPE_LETTERS.get(mode & 0o170000) ?? '?';
  return type + triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't');
}

/** In UTC. */
export function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('T', ' ').slice(0, 19);
}

export function statText(path: string, stat: Stat): string {
  const { inode, type, mode, links, uid, gid, size, blocks, mtime, ctime } = stat;
  const lines = [
    ['File', path],
    ['Type', type],
    ['Size', `${size} bytes in ${blocks} blocks`],
    ['Inode', String(inode)],
    ['Links', String(links)],
    ['Access', `${(mode & 0o7777).toString(8).padStart(4, '0')} (${modeText(mode)}), uid ${uid}, gid ${gid}`],
    ['Modify', timeText(mtime)],
    ['Change', timeText(ctime)],
  ];
  return lines.map(([name, value]) => `${`${name}:`.padEnd(8)}${value}\n`).join('');
}

const NO_LINES = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((place) => [place, '']),
);

/** Columns side by side; those named are flush right. */
export function columns(lines: readonly (readonly string[])[], right: readonly number[] = []): string {
  const table = new Table({
    chars: { ...NO_LINES, middle: ' ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: lines[0]?.map((_, column) => (right.includes(column) ? 'right' : 'left')) ?? [],
  });
  table.push(...lines.map((line) => [...line]));
  return `${table.toString().replace(/ +$/gm, '')}\n`;
}
