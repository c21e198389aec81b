import type { Geometry } from './geometry.js';
import { META_HEADER_BYTES } from './meta-header.js';
import { RGRP_HEADER_BYTES } from './rgrp-header.js';
import type { RindexEntry } from './rindex.js';

/** Part of a resource group's bitmap in one of its blocks (`gfs2_bitmap`). */
export interface BitmapSpan {
  /** Byte in the block where the bitmap starts: 128 in the header block, else 24 (`bi_offset`). */
  readonly offset: number;
  /** Bitmap bytes in the blocks before this one (`bi_start`). */
  readonly start: number;
  /** Bitmap bytes here (`bi_bytes`); four blocks each. */
  readonly bytes: number;
}

/**
 * Cuts a resource group's bitmap into its blocks: the header block holds `bs - 128` bytes, the next ones `bs - 24`, the
 * last one the rest.
 *
 * Undefined when the record's length does not fit its bitmap, which real mkfs, fsck and kernel refuse.
 *
 * Source: Linux fs/gfs2/rgrp.c, `compute_bitstructs`.
 */
export function bitmapSpans(geometry: Geometry, rindex: RindexEntry): BitmapSpan[] | undefined {
  const spans: BitmapSpan[] = [];
  let left = rindex.bitbytes;
  for (let x = 0; x < rindex.length; x++) {
    const capacity = x === 0 ? geometry.headBitmapBytes : geometry.bitmapBytes;
    const bytes = x === rindex.length - 1 ? left : Math.min(left, capacity);
    // Only an undersized resource group may have one block, and no block may be empty or overfull.
    if (bytes <= 0 || bytes > capacity) return undefined;
    spans.push({
      offset: x === 0 ? RGRP_HEADER_BYTES : META_HEADER_BYTES,
      start: rindex.bitbytes - left,
      bytes,
    });
    left -= bytes;
  }
  return left === 0 && spans.length > 0 ? spans : undefined;
}

/**
 * Which bitmap block of its resource group describes the data block at distance `offset` from `data0`: as if the header
 * block had room for as much as the others, its first 104 bytes taken.
 */
export function bitmapIndexOf(geometry: Geometry, offset: number): number {
  return Math.floor((offset + 4 * (RGRP_HEADER_BYTES - META_HEADER_BYTES)) / (4 * geometry.bitmapBytes));
}

/** Blocks that header and bitmap of `data` data blocks take (`ri_length`), for groups that mkfs cuts to measure. */
export function bitmapBlocksFor(geometry: Geometry, data: number): number {
  const beyond = Math.max(0, data - 4 * geometry.headBitmapBytes);
  return 1 + Math.ceil(beyond / (4 * geometry.bitmapBytes));
}
