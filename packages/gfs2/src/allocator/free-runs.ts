import type { Rgrp } from './rgrp.js';
import { freeExtlen } from './search.js';

/** Blocks of a section: the bits of eight words of the bitmap. */
const SECTION_SHIFT = 7;
const SECTION = 1 << SECTION_SHIFT;

/** Longer runs are not told apart: what they make a search pass over is little. */
const LONGEST = 1024;

/** Of a section that is to be measured again. */
const UNKNOWN = 0xffff;

/**
 * Bounds of the free runs of a resource group, for searches to pass over sections of its bitmap where nothing better can be found
 * than what they have. Has no counterpart in Linux, and changes no answer.
 *
 * The bound of a section is at least the number of free blocks in a row from any block of it on, into the next sections too. A
 * section is measured when a search passes it first; any change in it makes its bound unknown again.
 */
export class FreeRuns {
  readonly #bounds: Uint16Array;
  /** Sections with blocks that were freed and that searches do not see yet. */
  readonly #freed = new Set<number>();

  /** For a group of `data` blocks. */
  constructor(data: number) {
    this.#bounds = new Uint16Array(((data - 1) >> SECTION_SHIFT) + 1).fill(UNKNOWN);
  }

  /** Nothing is known of the group any more. */
  clear(): void {
    this.#bounds.fill(UNKNOWN);
    this.#freed.clear();
  }

  /** The blocks [from, to) were taken: runs have become shorter. */
  taken(from: number, to: number): void {
    const last = (to - 1) >> SECTION_SHIFT;
    for (let section = from >> SECTION_SHIFT; section <= last; section++) this.#bounds[section] = UNKNOWN;
  }

  /** The blocks [from, to) are free again, and searches see it: runs have become longer. */
  givenBack(from: number, to: number): void {
    for (let section = from >> SECTION_SHIFT; section <= (to - 1) >> SECTION_SHIFT; section++) this.#forget(section);
  }

  /** The blocks [from, to) were freed, and searches see it after `release`. */
  freed(from: number, to: number): void {
    for (let section = from >> SECTION_SHIFT; section <= (to - 1) >> SECTION_SHIFT; section++) this.#freed.add(section);
  }

  /** Searches see all blocks that were freed. */
  release(): void {
    for (const section of this.#freed) this.#forget(section);
    this.#freed.clear();
  }

  /** First offset from `at` on where more than `length` free blocks in a row may start; `end` when that is nowhere before it. */
  skip(rgrp: Rgrp, at: number, end: number, length: number): number {
    for (let section = at >> SECTION_SHIFT; ; section++) {
      const start = section << SECTION_SHIFT;
      if (start >= end) return end;
      let bound = this.#bounds[section]!;
      if (bound === UNKNOWN) bound = this.#measure(rgrp, section);
      if (bound > length || bound === LONGEST) return Math.max(at, start);
    }
  }

  /** Makes the bound unknown, and those of sections before from where a run may reach it. */
  #forget(section: number): void {
    this.#bounds[section] = UNKNOWN;
    for (let before = section - 1; before >= 0; before--) {
      const bound = this.#bounds[before]!;
      this.#bounds[before] = UNKNOWN;
      if (bound < SECTION) break;
    }
  }

  #measure(rgrp: Rgrp, section: number): number {
    const end = Math.min((section + 1) << SECTION_SHIFT, rgrp.rindex.data);
    let bound = 0;
    for (let at = section << SECTION_SHIFT; at < end; ) {
      const bi = rgrp.bits[rgrp.indexOf(at)]!;
      const hit = bi.findFree(at, end);
      at = hit;
      if (hit === Math.min(bi.end, end)) continue;
      const length = freeExtlen(rgrp, hit, LONGEST);
      bound = Math.max(bound, length);
      at += length;
    }
    this.#bounds[section] = bound;
    return bound;
  }
}
