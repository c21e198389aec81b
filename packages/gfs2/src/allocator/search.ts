import { nextUnreservedBlock, type Reservation } from './reservation.js';
import type { Rgrp } from './rgrp.js';

/** Free blocks found: offset of the first from the group's first data block, and how many. */
export interface Extent {
  offset: number;
  length: number;
}

/**
 * Finds free blocks (`gfs2_rbm_find`): at least `minext` of them in a row from `from` on, round the group unless `isOnce`.
 *
 * With `rs`, blocks that others have reserved are no candidates; if no run is long enough, the longest is taken. Without,
 * the first free block will do. The answer is in `found`; false when there is none.
 */
export function rbmFind(
  rgrp: Rgrp,
  from: number,
  minext: number,
  rs: Reservation | undefined,
  isOnce: boolean,
  found: Extent,
): boolean {
  const { bits } = rgrp;
  let bii = rgrp.indexOf(from);
  let at = from;
  // Unless the search starts at the start of a block, that block is searched again at the end for what is before.
  const lastBii = bii - (from === bits[bii]!.first ? 1 : 0);
  let wrapped = false;
  let longest = 0;
  let longestAt = 0;
  while (!(wrapped && bii > lastBii)) {
    const bi = bits[bii]!;
    const start = longest > 0 ? rgrp.runs.skip(rgrp, at, bi.end, longest) : at;
    const hit = bi.isFull || start === bi.end ? bi.end : bi.findFree(start);
    if (hit === bi.end) {
      if (start === bi.first) bi.isFull = true;
      bii += 1;
      at = bi.end;
    } else {
      if (rs === undefined) return give(found, hit, 1);
      const length = minext > 1 ? freeExtlen(rgrp, hit, minext) : 1;
      const skip = length > longest ? reservedFrom(rgrp, hit, length, rs) : length;
      if (skip === 0) {
        if (length >= minext) return give(found, hit, length);
        longest = length;
        longestAt = hit;
      }
      at = hit + (skip === 0 ? length : skip);
      bii = at >= rgrp.rindex.data ? bits.length : rgrp.indexOf(at);
    }
    if (bii < bits.length) continue;
    bii = 0;
    at = 0;
    if (wrapped) break;
    wrapped = true;
    if (isOnce) break;
  }
  noteFailure(rgrp, minext, wrapped && (from === 0 || bii > lastBii));
  return longest > 0 && give(found, longestAt, longest);
}

/** Length of the run of free blocks at `offset`, which is one; no more than `limit`, never past the group's end. */
export function freeExtlen(rgrp: Rgrp, offset: number, limit: number): number {
  const end = Math.min(offset + limit, rgrp.rindex.data);
  let at = offset;
  for (let bii = rgrp.indexOf(offset); at < end; bii++) {
    const bi = rgrp.bits[bii]!;
    const stop = bi.findUsed(at, end);
    at = stop;
    if (stop < bi.end) break;
  }
  return at - offset;
}

/** How far from `offset` the next block is that nobody else has reserved; 0 when none of the `length` blocks is. */
function reservedFrom(rgrp: Rgrp, offset: number, length: number, rs: Reservation): number {
  const block = rgrp.rindex.data0 + offset;
  return nextUnreservedBlock(rgrp, block, length, rs) - block;
}

/** Remembers that the whole group has no run of `minext` blocks. */
function noteFailure(rgrp: Rgrp, minext: number, isWhole: boolean): void {
  if (isWhole && minext < rgrp.extfailPt) rgrp.extfailPt = minext - 1;
}

function give(found: Extent, offset: number, length: number): true {
  found.offset = offset;
  found.length = length;
  return true;
}
