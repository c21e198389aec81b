import { getU64, viewOf } from '@quorate/kernel';
import { META_HEADER_BYTES } from './meta-header.js';

/** Namespaces of extended attributes by the number on disk; 0 marks an unused record (`GFS2_EATYPE_…`). */
export const XATTR_PREFIX: readonly string[] = ['', 'user.', 'system.', 'security.', 'trusted.'];

/** Bytes of a record before its name. */
const XATTR_BYTES = 16;

/** One record of an xattr block. */
export interface XattrRecord {
  readonly offset: number;
  readonly recLen: number;
  /** Bytes of the value. */
  readonly dataLen: number;
  /** Index into `XATTR_PREFIX`; 0 is unused. */
  readonly type: number;
  readonly isLast: boolean;
  /** Raw name without prefix. Aliases the block. */
  readonly name: Uint8Array;
  /** Where the value lies in this block, for one without pointers. */
  readonly dataOffset: number;
  /** Blocks (type 11) that hold the value, `jbsize` bytes each; empty when it is in this block. */
  readonly pointers: readonly number[];
}

/**
 * Record of an extended attribute in a block of type 10. Big-endian; starts and ends at multiples of 8.
 *
 * offset size field
 *      0    4 rec_len
 *      4    4 data_len
 *      8    1 name_len
 *      9    1 type       0 unused, 1 user, 2 system, 3 security, 4 trusted
 *     10    1 flags      1 = last record of the block
 *     11    1 num_ptrs
 *     12    4 –
 *     16    n name       then the value, or at the next multiple of 8 the pointers to its blocks
 *
 * Undefined when the record does not fit the block.
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_ea_header`; fs/gfs2/xattr.h.
 */
export function decodeXattr(block: Uint8Array, offset: number): XattrRecord | undefined {
  if (offset + XATTR_BYTES > block.length) return undefined;
  const view = viewOf(block);
  const recLen = view.getUint32(offset);
  const dataLen = view.getUint32(offset + 4);
  const nameLen = block[offset + 8]!;
  const count = block[offset + 11]!;
  const nameEnd = offset + XATTR_BYTES + nameLen;
  const pointersAt = offset + ((XATTR_BYTES + nameLen + 7) & ~7);
  const isUsed = block[offset + 9] !== 0;
  const end = !isUsed ? nameEnd : count === 0 ? nameEnd + dataLen : pointersAt + 8 * count;
  if (recLen < XATTR_BYTES || recLen % 8 !== 0 || offset + recLen > block.length || end > offset + recLen) {
    return undefined;
  }
  const pointers: number[] = [];
  if (isUsed) for (let i = 0; i < count; i++) pointers.push(getU64(view, pointersAt + 8 * i));
  return {
    offset,
    recLen,
    dataLen,
    type: block[offset + 9]!,
    isLast: (block[offset + 10]! & 1) !== 0,
    name: block.subarray(offset + XATTR_BYTES, nameEnd),
    dataOffset: nameEnd,
    pointers,
  };
}

/** First record of an xattr block. */
export const FIRST_XATTR: number = META_HEADER_BYTES;
