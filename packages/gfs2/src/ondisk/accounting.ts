import { getI64, getU64, setI64, setU64, viewOf } from '@quorate/kernel';
import { META_HEADER_BYTES } from './meta-header.js';

/** Bytes of the `statfs` file and of a `statfs_change` file. */
export const STATFS_BYTES = 24;

/** Bytes of an `inum_range` file; `inum` holds its first 8 only. */
export const INUM_RANGE_BYTES = 16;

/** Bytes of a record of the `quota` file. */
export const QUOTA_BYTES = 88;

/** Bytes of a slot in a `quota_change` block. */
const QUOTA_CHANGE_BYTES = 16;

/** Block counts: of the file system in `statfs`, what a node has not yet added to it in its `statfs_change`. */
export interface StatfsChange {
  total: number;
  free: number;
  dinodes: number;
}

/**
 * Content of `statfs` and of `statfs_change`: total, free and dinodes, three signed 64-bit numbers. Big-endian.
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_statfs_change`.
 */
export function encodeStatfsChange(
  change: Readonly<StatfsChange>,
  bytes: Uint8Array,
  offset = 0,
  view: DataView = viewOf(bytes),
): void {
  setI64(view, offset, change.total);
  setI64(view, offset + 8, change.free);
  setI64(view, offset + 16, change.dinodes);
}

/** @throws {RangeError} when fewer than 24 bytes are left at `offset`. */
export function decodeStatfsChange(bytes: Uint8Array, offset = 0): StatfsChange {
  const view = viewOf(bytes);
  return { total: getI64(view, offset), free: getI64(view, offset + 8), dinodes: getI64(view, offset + 16) };
}

/** Formal inode numbers that a node of the RHEL 6 era may still hand out. */
export interface InumRange {
  start: number;
  length: number;
}

/**
 * Content of `inum_range`: start and length of the range, two 64-bit numbers. Big-endian.
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_inum_range`.
 */
export function encodeInumRange(range: Readonly<InumRange>, bytes: Uint8Array, offset = 0): void {
  const view = viewOf(bytes);
  setU64(view, offset, range.start);
  setU64(view, offset + 8, range.length);
}

/** @throws {RangeError} when fewer than 16 bytes are left at `offset`. */
export function decodeInumRange(bytes: Uint8Array, offset = 0): InumRange {
  const view = viewOf(bytes);
  return { start: getU64(view, offset), length: getU64(view, offset + 8) };
}

/** One record of the `quota` file: number 2 * id for a user, 2 * id + 1 for a group. All in blocks. */
export interface Quota {
  readonly limit: number;
  readonly warn: number;
  readonly value: number;
}

/**
 * A record of the `quota` file, 88 bytes: limit, warn, value, then 64 zero bytes. Big-endian.
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_quota`.
 */
export function encodeQuota(quota: Quota, bytes: Uint8Array, offset = 0): void {
  const view = viewOf(bytes);
  bytes.fill(0, offset, offset + QUOTA_BYTES);
  setU64(view, offset, quota.limit);
  setU64(view, offset + 8, quota.warn);
  setI64(view, offset + 16, quota.value);
}

/** @throws {RangeError} when fewer than 24 bytes are left at `offset`. */
export function decodeQuota(bytes: Uint8Array, offset = 0): Quota {
  const view = viewOf(bytes);
  return { limit: getU64(view, offset), warn: getU64(view, offset + 8), value: getI64(view, offset + 16) };
}

/** One slot of a `quota_change` file: what a node has not yet added to `quota`. */
export interface QuotaChange {
  /** Blocks, signed; 0 in a free slot. */
  readonly change: number;
  readonly isUser: boolean;
  readonly id: number;
}

/**
 * A slot of a `quota_change` block (type 14): 64-bit signed change, 32-bit flags (1 = user), 32-bit id. Big-endian.
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_quota_change`.
 */
export function encodeQuotaChange(change: QuotaChange, block: Uint8Array, slot: number): void {
  const view = viewOf(block);
  const offset = META_HEADER_BYTES + slot * QUOTA_CHANGE_BYTES;
  setI64(view, offset, change.change);
  view.setUint32(offset + 8, change.isUser ? 1 : 0);
  view.setUint32(offset + 12, change.id);
}

export function decodeQuotaChange(block: Uint8Array, slot: number): QuotaChange {
  const view = viewOf(block);
  const offset = META_HEADER_BYTES + slot * QUOTA_CHANGE_BYTES;
  return {
    change: getI64(view, offset),
    isUser: (view.getUint32(offset + 8) & 1) !== 0,
    id: view.getUint32(offset + 12),
  };
}
