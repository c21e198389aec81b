import { getU64, setU64, viewOf } from '@quorate/kernel';

/** Bytes of one record of the `rindex` file. */
export const RINDEX_ENTRY_BYTES = 96;

/** Where a resource group lies: one record of the `rindex` system file. */
export interface RindexEntry {
  /** Block of the header (`ri_addr`). */
  readonly addr: number;
  /** Header and bitmap blocks (`ri_length`). */
  readonly length: number;
  /** First data block, `addr + length` (`ri_data0`). */
  readonly data0: number;
  /** Data blocks, a multiple of 4 (`ri_data`). */
  readonly data: number;
  /** Bitmap bytes, `data / 4` (`ri_bitbytes`). */
  readonly bitbytes: number;
}

/**
 * A record of `rindex`, 96 bytes. Big-endian.
 *
 * offset size field
 *      0    8 addr
 *      8    4 length
 *     12    4 –         zero; real mkfs.gfs2 leaves garbage here, so readers ignore it
 *     16    8 data0
 *     24    4 data
 *     28    4 bitbytes
 *     32   64 –         zero
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_rindex`.
 */
export function encodeRindexEntry(entry: RindexEntry, bytes: Uint8Array, offset = 0): void {
  const view = viewOf(bytes);
  bytes.fill(0, offset, offset + RINDEX_ENTRY_BYTES);
  setU64(view, offset, entry.addr);
  view.setUint32(offset + 8, entry.length);
  setU64(view, offset + 16, entry.data0);
  view.setUint32(offset + 24, entry.data);
  view.setUint32(offset + 28, entry.bitbytes);
}

/** @throws {RangeError} when fewer than 96 bytes are left at `offset`. */
export function decodeRindexEntry(bytes: Uint8Array, offset = 0): RindexEntry {
  const view = viewOf(bytes);
  return {
    addr: getU64(view, offset),
    length: view.getUint32(offset + 8),
    data0: getU64(view, offset + 16),
    data: view.getUint32(offset + 24),
    bitbytes: view.getUint32(offset + 28),
  };
}

/** All whole records of a `rindex` file, in its order. */
export function decodeRindex(file: Uint8Array): RindexEntry[] {
  const entries: RindexEntry[] = [];
  for (let at = 0; at + RINDEX_ENTRY_BYTES <= file.length; at += RINDEX_ENTRY_BYTES) {
    entries.push(decodeRindexEntry(file, at));
  }
  return entries;
}
