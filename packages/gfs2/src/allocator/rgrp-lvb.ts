import { getU64, setU64, viewOf } from '@quorate/kernel';
import { GFS2_MAGIC } from '../ondisk/meta-header.js';

/** Bytes of the value block of every glock. */
const RGRP_LVB_BYTES = 32;

/** What the value block of a resource group's glock says with the mount option `rgrplvb`. */
export interface RgrpLvb {
  readonly flags: number;
  readonly free: number;
  readonly dinodes: number;
  readonly igeneration: number;
  /** Dinodes in state unlinked. */
  readonly unlinked: number;
}

/**
 * Value block of a resource group's glock, 32 bytes. Big-endian.
 *
 * offset size field
 *      0    4 magic        0x01161970; anything else means that nobody filled it in
 *      4    4 flags
 *      8    4 free
 *     12    4 dinodes
 *     16    8 igeneration
 *     24    4 unlinked
 *     28    4 –            zero
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_rgrp_lvb`.
 */
export function encodeRgrpLvb(lvb: Readonly<RgrpLvb>, bytes: Uint8Array, view: DataView = viewOf(bytes)): void {
  view.setUint32(0, GFS2_MAGIC);
  view.setUint32(4, (lvb.flags & 0x0fff_ffff) >>> 0);
  view.setUint32(8, lvb.free);
  view.setUint32(12, lvb.dinodes);
  setU64(view, 16, lvb.igeneration);
  view.setUint32(24, lvb.unlinked);
  view.setUint32(28, 0);
}

/** Undefined when the block holds no value. */
export function decodeRgrpLvb(bytes: Uint8Array): RgrpLvb | undefined {
  if (bytes.length < RGRP_LVB_BYTES) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(0) !== GFS2_MAGIC) return undefined;
  return {
    flags: view.getUint32(4),
    free: view.getUint32(8),
    dinodes: view.getUint32(12),
    igeneration: getU64(view, 16),
    unlinked: view.getUint32(24),
  };
}
