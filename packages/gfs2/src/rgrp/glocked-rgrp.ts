import { viewOf } from '@quorate/kernel';
import { Rgrp } from '../allocator/rgrp.js';
import { encodeRgrpLvb } from '../allocator/rgrp-lvb.js';
import type { Buffer } from '../buffer/buffer.js';
import type { Glock } from '../glock/glock.js';
import type { Geometry } from '../ondisk/geometry.js';
import type { RindexEntry } from '../ondisk/rindex.js';

/** A resource group with the lock that protects it and its cached blocks. */
export class GlockedRgrp extends Rgrp {
  readonly glock: Glock;
  /** Header and bitmap blocks, while they are attached. */
  buffers: readonly Buffer[] = [];
  /** Dinodes in state unlinked, for the value of the lock. */
  unlinked = 0;
  #lvbView: DataView | undefined = undefined;

  /** @throws {RangeError} when the record's length does not fit its bitmap */
  constructor(geometry: Geometry, rindex: RindexEntry, glock: Glock) {
    super(geometry, rindex);
    this.glock = glock;
  }

  /** Puts the counts into the lock's value, for those who look at it before they read the blocks (`gfs2_rgrp_ondisk2lvb`). */
  updateLvb(): void {
    const { lvb } = this.glock;
    if (lvb === undefined) return;
    this.#lvbView ??= viewOf(lvb);
    encodeRgrpLvb(this, lvb, this.#lvbView);
  }
}
