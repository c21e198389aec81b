import { type Dinode, Rgrp, type RindexEntry, type Volume } from '@quorate/gfs2';
import { BLKST } from '@quorate/gfs2/allocator';
import { UsageError } from '../usage-error.js';
import type { BlockWriters } from './block-writers.js';

/** Columns of a row, and its height, in pixels. */
const COLUMNS = 1024;
const ROW = 10;
const LEFT = 90;
const TOP = 46;

/** What a column shows: most of its blocks are of this. */
interface Paint {
  readonly colour: string;
  readonly title: string;
  /** How much a block of it counts beside others; 1 unless told. */
  readonly weight?: number;
}

const FREE: Paint = { colour: '#eef1f5', title: 'free', weight: 1e-6 };
const METADATA: Paint = { colour: '#8a93a3', title: 'indirect blocks, leaves, attributes' };
const DINODE: Paint = { colour: '#27303f', title: 'dinodes' };
const UNLINKED: Paint = { colour: '#d62839', title: 'deleted and not reclaimed' };
const JOURNAL: Paint = { colour: '#f2a65a', title: 'journals' };
const SYSTEM: Paint = { colour: '#9067c6', title: 'system files' };

const LEGEND: readonly Paint[] = [FREE, DINODE, METADATA, UNLINKED, JOURNAL, SYSTEM];

/** What was written before the run, or outside of it. */
const NOBODY: Paint = { colour: '#b9c0cc', title: 'written by no node of the run', weight: 1e-3 };
const WRITER_COLOURS = ['#3d7dca', '#3aa675', '#e08e2b', '#b4509b', '#c0392b', '#5b6abf', '#7a9a2e', '#2aa3a3'];

/** A run of blocks with an owner. */
interface Owned {
  readonly block: number;
  readonly count: number;
  readonly paint: Paint;
}

/**
 * A picture of a volume as SVG: a row for each resource group, in it what its blocks hold from left to right. Files have colours by
 * their inode, and say their path where the pointer rests. Of a run every block and each group's header have the colour of the node that
 * wrote them last.
 */
export function volumePicture(volume: Volume, run?: BlockWriters): string {
  const writers = run && writerPaints(run);
  const groups = volume.rindex();
  if (typeof groups === 'string') throw new UsageError(`rindex: ${groups}`);
  const owned = ownedRuns(volume);
  const largest = Math.max(...groups.map(({ data }) => data));
  const writerOf = (block: number): Paint => writers?.get(run!.of(block) ?? -1) ?? NOBODY;
  const rows = groups.map((group, i) => {
    const paints = blockPaints(volume, group, owned);
    if (run === undefined) return row(group, paints, i, largest);
    const byWriter = paints.map((paint, at) => (paint === FREE ? FREE : writerOf(group.data0 + at)));
    return `${headerMark(writerOf(group.addr), i)}${row(group, byWriter, i, largest)}`;
  });
  const height = TOP + ROW * groups.length + 10;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + COLUMNS + 10} ${height}" font-family="sans-serif" font-size="8">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="10" y="16" font-size="12">${escaped(caption(volume, groups))}</text>`,
    ...legend(writers === undefined ? LEGEND : [FREE, NOBODY, ...writers.values()]),
    ...rows,
    '</svg>\n',
  ].join('\n');
}

function caption({ superblock, geometry }: Volume, groups: readonly RindexEntry[]): string {
  const name = superblock.lockTable === '' ? superblock.lockProtocol : superblock.lockTable;
  const blocks = groups.reduce((sum, { data }) => sum + data, 0);
  return `${name}: ${blocks} blocks of ${geometry.blockSize} bytes in ${groups.length} resource groups`;
}

/** By the id of the node. */
function writerPaints({ nodes }: BlockWriters): ReadonlyMap<number, Paint> {
  return new Map(
    nodes.map(({ id, name }, i) => [
      id,
      { colour: WRITER_COLOURS[i % WRITER_COLOURS.length]!, title: `last written by ${name}` },
    ]),
  );
}

function headerMark({ colour, title }: Paint, index: number): string {
  return `<rect x="${LEFT - 5}" y="${TOP + ROW * index}" width="4" height="${ROW - 1}" fill="${colour}"><title>group ${title}</title></rect>`;
}

function legend(paints: readonly Paint[]): string[] {
  let x = 10;
  return paints.map(({ colour, title }) => {
    const item = `<rect x="${x}" y="26" width="9" height="9" fill="${colour}"/><text x="${x + 13}" y="34">${title}</text>`;
    x += 25 + 5 * title.length;
    return item;
  });
}

function row(group: RindexEntry, blocks: readonly Paint[], index: number, largest: number): string {
  const y = TOP + ROW * index;
  const columns = Math.max(1, Math.round((COLUMNS * group.data) / largest));
  const rects: string[] = [];
  const paints = paintColumns(group, blocks, columns);
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
  return `<text x="${LEFT - 8}" y="${y + 8}" text-anchor="end">${group.addr}</text>${rects.join('')}`;
}

/** What each column is mostly. A column with something in it never looks free, nor one that a node wrote to as if none had. */
function paintColumns(group: RindexEntry, blocks: readonly Paint[], columns: number): Paint[] {
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * group.data) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * group.data) / columns));
    const counts = new Map<Paint, number>();
    for (const paint of blocks.slice(from, to)) counts.set(paint, (counts.get(paint) ?? 0) + (paint.weight ?? 1));
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
