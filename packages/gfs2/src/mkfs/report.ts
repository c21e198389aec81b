import { hex } from '@quorate/kernel';
import type { MkfsResult } from '../mkfs.js';

/** What mkfs.gfs2 prints at its end: a table with the values from column 28 on. */
export function mkfsReport(result: MkfsResult, devicePath: string): string {
  const { superblock, deviceBytes, fsBlocks } = result;
  const { blockSize, lockProtocol, lockTable, uuid } = superblock;
  const rows: readonly (readonly [string, string])[] = [
    ['Device:', devicePath],
    ['Block size:', String(blockSize)],
    ['Device size:', `${gigabytes(deviceBytes)} GB (${Math.floor(deviceBytes / blockSize)} blocks)`],
    ['Filesystem size:', `${gigabytes(fsBlocks * blockSize)} GB (${fsBlocks} blocks)`],
    ['Journals:', String(result.journals)],
    ['Journal size:', `${result.journalMiB}MB`],
    ['Resource groups:', String(result.rgrps.length)],
    ['Locking protocol:', `"${lockProtocol}"`],
    ['Lock table:', `"${lockTable}"`],
    ['UUID:', formatUuid(uuid)],
  ];
  return rows.map(([title, value]) => `${title.padEnd(27)}${value}\n`).join('');
}

/** A UUID in its usual form with hyphens. */
export function formatUuid(uuid: Uint8Array): string {
  return [hex(uuid, 0, 4), hex(uuid, 4, 6), hex(uuid, 6, 8), hex(uuid, 8, 10), hex(uuid, 10, 16)].join('-');
}

/** With two decimals. The real program divides in single precision, and its C library rounds halves to even. */
function gigabytes(bytes: number): string {
  const hundredths = (Math.fround(bytes) / 2 ** 30) * 100;
  const below = Math.floor(hundredths);
  const isHalf = hundredths - below === 0.5;
  return ((isHalf ? below + (below % 2) : Math.round(hundredths)) / 100).toFixed(2);
}
