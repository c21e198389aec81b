import { getI64, getU64, setI64, setU64, viewOf } from '@quorate/kernel';
import type { Quota } from '../ondisk/accounting.js';
import { GFS2_MAGIC } from '../ondisk/meta-header.js';

/**
 * Value of a quota glock: what the `quota` file says, for nodes that only look. Big-endian.
 *
 * offset size field
 *      0    4 magic  0x01161970; anything else: not known
 *      4    4 –      zero
 *      8    8 limit
 *     16    8 warn
 *     24    8 value
 *
 * Source: Linux fs/gfs2/incore.h, `gfs2_quota_lvb`.
 */
export function encodeQuotaLvb({ limit, warn, value }: Quota, lvb: Uint8Array): void {
  const view = viewOf(lvb);
  view.setUint32(0, GFS2_MAGIC);
  view.setUint32(4, 0);
  setU64(view, 8, limit);
  setU64(view, 16, warn);
  setI64(view, 24, value);
}

/** Undefined when nobody has filled it in. */
export function decodeQuotaLvb(lvb: Uint8Array): Quota | undefined {
  const view = viewOf(lvb);
  if (view.getUint32(0) !== GFS2_MAGIC) return undefined;
  return { limit: getU64(view, 8), warn: getU64(view, 16), value: getI64(view, 24) };
}
