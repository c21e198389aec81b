import { crc32, getU64, setU64, viewOf } from '@quorate/kernel';
import { encodeMetaHeader, isMetaBlock, META_TYPE } from './meta-header.js';
import type { RindexEntry } from './rindex.js';

/** Bytes of the resource group header; its part of the bitmap follows. */
export const RGRP_HEADER_BYTES = 128;

/** Flags of a resource group that stand on disk (`GFS2_RGF_…`). */
export const RGF = {
  JOURNAL: 0x1,
  METAONLY: 0x2,
  DATAONLY: 0x4,
  NOALLOC: 0x8,
  TRIMMED: 0x10,
} as const;

/** The part of `rg_flags` that may be written; the upper four bits are in-core only. */
const ONDISK_FLAGS = 0x0fff_ffff;

/** What the header block of a resource group says beside the copy of its rindex record. */
export interface RgrpHeader {
  /** `RGF` bits. */
  flags: number;
  /** Blocks in state free. */
  free: number;
  /** Blocks in state dinode or unlinked dinode. */
  dinodes: number;
  /** Distance in blocks to the next resource group, 0 in the last one. */
  skip: number;
  /** Source of formal inode numbers and generations. */
  igeneration: number;
}

/**
 * Resource group header, the first 128 bytes of its first block. Big-endian.
 *
 * offset size field
 *      0   24 header       type 2, format 200
 *     24    4 flags        `RGF`
 *     28    4 free
 *     32    4 dinodes
 *     36    4 skip
 *     40    8 igeneration
 *     48    8 data0        copy of rindex
 *     56    4 data         copy of rindex
 *     60    4 bitbytes     copy of rindex
 *     64    4 crc          CRC-32 of these 128 bytes with this field zero; 0 means "not set"
 *     68   60 –            zero
 *
 * Leaves the bitmap behind it alone. Who has a view of the block hands it over.
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_rgrp`; fs/gfs2/rgrp.c, `gfs2_rgrp_out`.
 */
export function encodeRgrpHeader(
  header: Readonly<RgrpHeader>,
  rindex: RindexEntry,
  block: Uint8Array,
  view: DataView = viewOf(block),
): void {
  encodeMetaHeader(block, META_TYPE.RG);
  view.setUint32(24, (header.flags & ONDISK_FLAGS) >>> 0);
  view.setUint32(28, header.free);
  view.setUint32(32, header.dinodes);
  view.setUint32(36, header.skip);
  setU64(view, 40, header.igeneration);
  setU64(view, 48, rindex.data0);
  view.setUint32(56, rindex.data);
  view.setUint32(60, rindex.bitbytes);
  for (let at = 64; at < RGRP_HEADER_BYTES; at += 4) view.setUint32(at, 0);
  view.setUint32(64, crc32(block, 0, RGRP_HEADER_BYTES));
}

/** Reads the header; undefined when the block is no resource group header. Does not look at the checksum. */
export function decodeRgrpHeader(block: Uint8Array): RgrpHeader | undefined {
  if (!isMetaBlock(block, META_TYPE.RG)) return undefined;
  const view = viewOf(block);
  return {
    flags: view.getUint32(24),
    free: view.getUint32(28),
    dinodes: view.getUint32(32),
    skip: view.getUint32(36),
    igeneration: getU64(view, 40),
  };
}

/** Checks `rg_crc`; a header whose field is 0 was written before checksums existed and passes. */
export function isRgrpCrcRight(block: Uint8Array): boolean {
  const stored = viewOf(block).getUint32(64);
  if (stored === 0) return true;
  const header = block.slice(0, RGRP_HEADER_BYTES);
  header.fill(0, 64, 68);
  return crc32(header) === stored;
}

/** The copy of the rindex record in the header, which old kernels left zero. */
export function rindexCopyOf(block: Uint8Array): { data0: number; data: number; bitbytes: number } {
  const view = viewOf(block);
  return { data0: getU64(view, 48), data: view.getUint32(56), bitbytes: view.getUint32(60) };
}
