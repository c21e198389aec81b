import { bitmapBlocksFor } from '../ondisk/bitmap-layout.js';
import type { Geometry } from '../ondisk/geometry.js';
import type { RindexEntry } from '../ondisk/rindex.js';
import type { RgrpAlignment } from './options.js';

/** A resource group on the drawing board. */
export interface PlacedRgrp {
  readonly rindex: RindexEntry;
  /** Blocks to the next one's address; 0 in the last. */
  readonly skip: number;
}

/** How many resource groups of which length in blocks, header and bitmap included (`rg_spec`). */
interface RgSpec {
  readonly len: number;
  readonly num: number;
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

/** What the layout of resource groups depends on, sizes in blocks. */
export interface RgrpLayout {
  readonly geometry: Geometry;
  readonly deviceBlocks: number;
  readonly rgrpMiB: number;
  readonly journals: number;
  /** Dinode, indirect blocks and data of each journal. */
  readonly blocksPerJournal: number;
  readonly alignment: RgrpAlignment;
}

/**
 * Lays out resource groups: one for each journal, just large enough, then the rest of the device in nearly equal ones
 * (`place_journals`, `place_rgrps`). Undefined when the device ends before that.
 */
export function placeRgrps(layout: RgrpLayout): PlacedRgrp[] | undefined {
  const { geometry, deviceBlocks, rgrpMiB, journals, blocksPerJournal, alignment } = layout;
  const journalData = roundUp4(blocksPerJournal);
  const journalLen = alignLen(alignment, journalData + bitmapBlocksFor(geometry, journalData));
  const first = roundUp(geometry.superblock + 1, alignment.unit);
  const space = deviceBlocks - journals * roundUp(journalLen, alignment.unit) - first;
  if (space < 16) return undefined;
  const target = (rgrpMiB * 2 ** 20) / geometry.blockSize;
  const specs = [{ len: journalLen, num: journals }, ...rgrpsPlan(space, target, alignment)];
  return layRgrps(geometry, first, specs, alignment);
}

/** Smallest and largest resource group (`GFS2_MIN_RGSIZE`, `GFS2_MAX_RGSIZE`). */
const MIN_RGRP_MIB = 32;
const MAX_RGRP_MIB = 2048;

/**
 * Lays out what a device has behind block `end`, where the last resource group ends, in groups that are as large as they may
 * be; none when they would be too small (`gfs2_grow`, which leaves one block between).
 */
export function planGrowth(geometry: Geometry, end: number, deviceBlocks: number): PlacedRgrp[] {
  const blocksPerMiB = 2 ** 20 / geometry.blockSize;
  const space = deviceBlocks - end - 1;
  if (space < MIN_RGRP_MIB * blocksPerMiB) return [];
  const specs = rgrpsPlan(space, MAX_RGRP_MIB * blocksPerMiB, NO_ALIGNMENT).filter(({ num }) => num > 0);
  if (specs.some(({ len }) => len < MIN_RGRP_MIB * blocksPerMiB)) return [];
  return layRgrps(geometry, end + 1, specs, NO_ALIGNMENT);
}

const NO_ALIGNMENT: RgrpAlignment = { width: 0, unit: 0 };

/** Puts resource groups one behind the other. */
function layRgrps(geometry: Geometry, first: number, specs: readonly RgSpec[], { unit }: RgrpAlignment): PlacedRgrp[] {
  let addr = first;
  const placed: { addr: number; len: number }[] = [];
  for (const { len, num } of specs) {
    for (let i = 0; i < num; i++) {
      placed.push({ addr, len });
      addr = roundUp(addr + len, unit);
    }
  }
  return placed.map((rgrp, i) => {
    const { bitblocks, data } = rgblocks2bitblocks(geometry, rgrp.len);
    const rindex = { addr: rgrp.addr, length: bitblocks, data0: rgrp.addr + bitblocks, data, bitbytes: data / 4 };
    return { rindex, skip: (placed[i + 1]?.addr ?? rgrp.addr) - rgrp.addr };
  });
}

/**
 * Cuts `space` blocks into resource groups of about `target` blocks (`lgfs2_rgrps_plan`). Without alignment at least one
 * block stays unused at the end.
 */
function rgrpsPlan(space: number, target: number, alignment: RgrpAlignment): readonly RgSpec[] {
  const larger = { len: alignLen(alignment, target), num: 0 };
  const smaller = { len: 0, num: 0 };
  larger.num = Math.floor(space / larger.len);
  if (space - larger.num * larger.len <= alignment.width) return [larger];
  const step = Math.max(1, alignment.width);
  // The adjustment is spread over all of them, so that the last one is not tiny.
  larger.num += 1;
  while ((larger.len - step) * larger.num >= space) larger.len -= step;
  smaller.len = larger.len - step;
  while (larger.len * larger.num + smaller.len * smaller.num >= space) {
    larger.num -= 1;
    smaller.num += 1;
  }
  return [larger, smaller];
}

/** Whole stripes and a unit more, so that the headers of the groups lie on different disks (`lgfs2_rgrp_align_len`). */
function alignLen({ width, unit }: RgrpAlignment, len: number): number {
  return roundUp(len, width) + unit;
}

/** To a multiple of `step`; 0 is none. */
function roundUp(blocks: number, step: number): number {
  return step === 0 ? blocks : Math.ceil(blocks / step) * step;
}

function roundDown4(blocks: number): number {
  return blocks - (blocks % 4);
}

function roundUp4(blocks: number): number {
  return roundDown4(blocks + 3);
}
