import { bitmapBlocksFor } from '../ondisk/bitmap-layout.js';
import type { Geometry } from '../ondisk/geometry.js';
import type { RindexEntry } from '../ondisk/rindex.js';

/** A resource group on the drawing board. */
export interface PlacedRgrp {
  readonly rindex: RindexEntry;
  /** Blocks to the next one's address; 0 in the last. */
  readonly skip: number;
}

/** How many resource groups of which length in blocks, header and bitmap included (`rg_spec`). */
interface RgSpec {
  len: number;
  num: number;
}

/**
 * Header and bitmap blocks of a resource group of `rgblocks` blocks in all, and the data blocks that remain
 * (`lgfs2_rgblocks2bitblocks`). For some lengths four blocks are lost; fsck.gfs2 expects that.
 */
function rgblocks2bitblocks(geometry: Geometry, rgblocks: number): { bitblocks: number; data: number } {
  const blksRgrp = 4 * geometry.headBitmapBytes;
  const blksMeta = 4 * geometry.bitmapBytes;
  let bitblocks = 0;
  while (blksRgrp + blksMeta * bitblocks < roundDown4(rgblocks - bitblocks)) bitblocks += 1;
  const mappable = bitblocks > 0 ? blksRgrp + blksMeta * (bitblocks - 1) : 0;
  const data = roundDown4(rgblocks - (bitblocks + 1));
  if (mappable < data) bitblocks += 1;
  return { bitblocks, data };
}

/**
 * Lays out resource groups: one for each journal, just large enough, then the rest of the device in nearly equal ones
 * (`place_journals`, `place_rgrps`). Undefined when the device ends before that.
 */
export function placeRgrps(
  geometry: Geometry,
  deviceBlocks: number,
  rgrpMiB: number,
  journals: number,
  blocksPerJournal: number,
): PlacedRgrp[] | undefined {
  const journalData = roundUp4(blocksPerJournal);
  const lengths: number[] = Array(journals).fill(journalData + bitmapBlocksFor(geometry, journalData));
  const first = geometry.superblock + 1;
  const space = deviceBlocks - first - journals * lengths[0]!;
  if (space < 16) return undefined;
  for (const { len, num } of rgrpsPlan(space, Math.floor((rgrpMiB * 2 ** 20) / geometry.blockSize))) {
    for (let i = 0; i < num; i++) lengths.push(len);
  }
  let addr = first;
  return lengths.map((length, i) => {
    const { bitblocks, data } = rgblocks2bitblocks(geometry, length);
    const rindex = { addr, length: bitblocks, data0: addr + bitblocks, data, bitbytes: data / 4 };
    addr += length;
    return { rindex, skip: i === lengths.length - 1 ? 0 : length };
  });
}

/**
 * Cuts `space` blocks into resource groups of about `target` blocks (`lgfs2_rgrps_plan` without alignment). At least one
 * block stays unused at the end.
 */
function rgrpsPlan(space: number, target: number): readonly RgSpec[] {
  const larger = { len: target, num: Math.floor(space / target) };
  const smaller = { len: 0, num: 0 };
  if (larger.num * larger.len === space) return [larger];
  // The adjustment is spread over all of them, so that the last one is not tiny.
  larger.num += 1;
  while ((larger.len - 1) * larger.num >= space) larger.len -= 1;
  smaller.len = larger.len - 1;
  while (larger.len * larger.num + smaller.len * smaller.num >= space) {
    larger.num -= 1;
    smaller.num += 1;
  }
  return [larger, smaller];
}

function roundDown4(blocks: number): number {
  return blocks - (blocks % 4);
}

function roundUp4(blocks: number): number {
  return roundDown4(blocks + 3);
}
