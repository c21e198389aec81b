import { type Dinode, Rgrp, type RindexEntry, type Volume } from '@quorate/gfs2';
import { BLKST } from '@quorate/gfs2/allocator';
import { UsageError } from '../usage-error.js';

/** Columns of a row, and its height, in pixels. */
const COLUMNS = 1024;
const ROW = 10;
const LEFT = 90;
const TOP = 46;

/** What a column shows: most of its blocks are of this. */
interface Paint {
  readonly colour: string;
  readonly title: string;
}

const FREE: Paint = { colour: '#eef1f5', title: 'free' };
const METADATA: Paint = { colour: '#8a93a3', title: 'indirect blocks, leaves, attributes' };
const DINODE: Paint = { colour: '#27303f', title: 'dinodes' };
const UNLINKED: Paint = { colour: '#d62839', title: 'deleted and not reclaimed' };
const JOURNAL: Paint = { colour: '#f2a65a', title: 'journals' };
const SYSTEM: Paint = { colour: '#9067c6', title: 'system files' };

const LEGEND: readonly Paint[] = [FREE, DINODE, METADATA, UNLINKED, JOURNAL, SYSTEM];

/** A run of blocks with an owner. */
interface Owned {
  readonly block: number;
  readonly count: number;
  readonly paint: Paint;
}

/**
 * A picture of a volume as SVG: a row for each resource group, in it what its blocks hold from left to right. Files have colours by
 * their inode, and say their path where the pointer rests.
 */
export function volumePicture(volume: Volume): string {
  const groups = volume.rindex();
  if (typeof groups === 'string') throw new UsageError(`rindex: ${groups}`);
  const owned = ownedRuns(volume);
  const largest = Math.max(...groups.map(({ data }) => data));
  const rows = groups.map((group, i) => row(volume, group, owned, i, largest));
  const height = TOP + ROW * groups.length + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + COLUMNS + 10} ${height}" font-family="sans-serif" font-size="8">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="10" y="16" font-size="12">${escaped(caption(volume, groups))}</text>`,
    ...legend(),
    ...rows,
    '</svg>\n',
  ].join('\n');
}

function caption({ superblock, geometry }: Volume, groups: readonly RindexEntry[]): string {
  const name = superblock.lockTable === '' ? superblock.lockProtocol : superblock.lockTable;
  const blocks = groups.reduce((sum, { data }) => sum + data, 0);
  return `${name}: ${blocks} blocks of ${geometry.blockSize} bytes in ${groups.length} resource groups`;
}

function legend(): string[] {
  let x = 10;
  return LEGEND.map(({ colour, title }) => {
    const item = `<rect x="${x}" y="26" width="9" height="9" fill="${colour}"/><text x="${x + 13}" y="34">${title}</text>`;
    x += 25 + 5 * title.length;
    return item;
  });
}

function row(volume: Volume, group: RindexEntry, owned: readonly Owned[], index: number, largest: number): string {
  const y = TOP + ROW * index;
  const columns = Math.max(1, Math.round((COLUMNS * group.data) / largest));
  const rects: string[] = [];
  const paints = paintColumns(volume, group, owned, columns);
  for (let from = 0; from < columns; ) {
    const paint = paints[from]!;
    let to = from + 1;
    while (to < columns && paints[to] === paint) to += 1;
    const title = `<title>${escaped(paint.title)}</title>`;
    rects.push(
      `<rect x="${LEFT + from}" y="${y}" width="${to - from}" height="${ROW - 1}" fill="${paint.colour}">${title}</rect>`,
    );
    from = to;
  }
  return `<text x="${LEFT - 6}" y="${y + 8}" text-anchor="end">${group.addr}</text>${rects.join('')}`;
}

/** What each column is mostly. A column with something in it never looks free. */
function paintColumns(volume: Volume, group: RindexEntry, owned: readonly Owned[], columns: number): Paint[] {
  const blocks = blockPaints(volume, group, owned);
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * group.data) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * group.data) / columns));
    const counts = new Map<Paint, number>();
    for (const paint of blocks.slice(from, to))
      counts.set(paint, (counts.get(paint) ?? 0) + (paint === FREE ? 1e-6 : 1));
    return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
  });
}

function blockPaints(volume: Volume, group: RindexEntry, owned: readonly Owned[]): Paint[] {
  const rgrp = new Rgrp(volume.geometry, group);
  const bitmap = Array.from({ length: group.length }, (_, i) => volume.readBlock(group.addr + i)!);
  const end = group.data0 + group.data;
  const isRead = rgrp.attach(bitmap);
  const byState = { [BLKST.FREE]: FREE, [BLKST.USED]: METADATA, [BLKST.UNLINKED]: UNLINKED, [BLKST.DINODE]: DINODE };
  const paints = Array.from({ length: group.data }, (_, i) => {
    return isRead ? byState[rgrp.stateOf(group.data0 + i) as 0 | 1 | 2 | 3] : METADATA;
  });
  for (const { block, count, paint } of owned) {
    for (let b = Math.max(block, group.data0); b < Math.min(block + count, end); b++) paints[b - group.data0] = paint;
  }
  return paints;
}

function ownedRuns(volume: Volume): Owned[] {
  const owned: Owned[] = [];
  const add = (inode: Dinode | string, paint: Paint): void => {
    if (typeof inode !== 'string') for (const extent of volume.extents(inode)) owned.push({ ...extent, paint });
  };
  for (const directory of ['jindex', 'per_node', ''] as const) {
    const dir = volume.systemFile(directory);
    const entries = typeof dir === 'string' ? dir : volume.readdir(dir);
    for (const { addr } of typeof entries === 'string' ? [] : entries) {
      const paint = directory === 'jindex' ? JOURNAL : SYSTEM;
      if (addr !== (dir as Dinode).addr) add(volume.inode(addr), paint);
    }
  }
  for (const { path, dinode } of volume.tree()) add(dinode, { colour: colourOf(dinode.addr), title: path });
  return owned;
}

/** Neighbouring numbers get colours far apart: each turns by the golden angle. */
function colourOf(addr: number): string {
  return `hsl(${Math.round((addr * 137.508) % 360)} 55% 55%)`;
}

function escaped(text: string): string {
  return text.replace(/[^ -~]|[<>&"]/gu, (character) => `&#${character.codePointAt(0)};`);
}
