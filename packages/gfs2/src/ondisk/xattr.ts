import { getU64, setU64, viewOf } from '@quorate/kernel';
import { META_HEADER_BYTES } from './meta-header.js';

/** Namespaces of extended attributes by the number on disk; 0 marks an unused record (`GFS2_EATYPE_…`). */
export const XATTR_PREFIX: readonly string[] = ['', 'user.', 'system.', 'security.', 'trusted.'];

/** Numbers of the namespaces. */
export const XATTR_TYPE = { user: 1, system: 2, security: 3, trusted: 4 } as const;

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
  /**
   * Blocks (type 11) that hold the value, `jbsize` bytes each; empty when it is in this block. A node that died while it
   * replaced a value leaves them in an unused record.
   */
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
  const end = count > 0 ? pointersAt + 8 * count : isUsed ? nameEnd + dataLen : nameEnd;
  if (recLen < XATTR_BYTES || recLen % 8 !== 0 || offset + recLen > block.length || end > offset + recLen) {
    return undefined;
  }
  const pointers: number[] = [];
  for (let i = 0; i < count; i++) pointers.push(getU64(view, pointersAt + 8 * i));
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

/** What a record takes. */
export interface XattrSize {
  /** Bytes, a multiple of 8. */
  readonly bytes: number;
  /** Blocks for the value; 0 when it is in the record. */
  readonly valueBlocks: number;
}

/** What a record of `nameLen` and `dataLen` bytes takes in a block with room for `jbsize` (`ea_calc_size`). */
export function xattrSize(nameLen: number, dataLen: number, jbsize: number): XattrSize {
  const stuffed = align8(XATTR_BYTES + nameLen + dataLen);
  if (stuffed <= jbsize) return { bytes: stuffed, valueBlocks: 0 };
  const valueBlocks = Math.ceil(dataLen / jbsize);
  return { bytes: align8(XATTR_BYTES + nameLen) + 8 * valueBlocks, valueBlocks };
}

/** Bytes that a record needs of its `recLen` (`GFS2_EA_SIZE`). */
export function usedBytes({ type, name, dataLen, pointers }: XattrRecord): number {
  if (type === 0) return 0;
  return align8(XATTR_BYTES + name.length + (pointers.length === 0 ? dataLen : 8 * pointers.length));
}

/** Writes length and last flag of the record at `offset`. */
export function setXattrLength(block: Uint8Array, offset: number, recLen: number, isLast: boolean): void {
  viewOf(block).setUint32(offset, recLen);
  block[offset + 10] = isLast ? 1 : 0;
}

/** Writes an attribute into the record at `offset`, whose length and last flag stay (`ea_write`). */
export function encodeXattr(
  block: Uint8Array,
  offset: number,
  { type, name, value, pointers }: NewXattr & { readonly pointers: readonly number[] },
): void {
  const view = viewOf(block);
  view.setUint32(offset + 4, value.length);
  block[offset + 8] = name.length;
  block[offset + 9] = type;
  block[offset + 11] = pointers.length;
  view.setUint32(offset + 12, 0);
  block.set(name, offset + XATTR_BYTES);
  if (pointers.length === 0) block.set(value, offset + XATTR_BYTES + name.length);
  for (const [i, pointer] of pointers.entries()) {
    setU64(view, offset + align8(XATTR_BYTES + name.length) + 8 * i, pointer);
  }
}

/** Makes the record at `offset` an unused one; `pointers`: it still leads to its value's blocks. */
export function clearXattr(block: Uint8Array, offset: number, pointers: 'keeps-pointers' | 'drops-pointers'): void {
  block[offset + 9] = 0;
  if (pointers === 'drops-pointers') block[offset + 11] = 0;
}

/** An attribute to be written. */
export interface NewXattr {
  /** Index into `XATTR_PREFIX`. */
  readonly type: number;
  /** Without prefix. */
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** Bytes that a value can have. */
export const MAX_XATTR_BYTES = 65536;

function align8(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** First record of an xattr block. */
export const FIRST_XATTR: number = META_HEADER_BYTES;
