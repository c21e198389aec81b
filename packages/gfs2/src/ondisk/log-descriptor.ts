import { getU64, setU64, viewOf } from '@quorate/kernel';
import { type Geometry, LOG_DESCRIPTOR_BYTES } from './geometry.js';
import { initMetaBlock, isMetaBlock, META_HEADER_BYTES, META_TYPE } from './meta-header.js';

/** What a log descriptor describes (`GFS2_LOG_DESC_…`). */
export const LOG_DESC = {
  /** Copies of metadata blocks follow; a tag is a block number. */
  METADATA: 300,
  /** Nothing follows but more tags: no copy of these blocks from before here may be replayed. */
  REVOKE: 301,
  /** Copies of file data blocks follow; tags are pairs of a block number and an escape flag. */
  JDATA: 302,
} as const;

export interface LogDescriptor {
  /** `LOG_DESC`; other numbers can only come from a damaged block. */
  readonly type: number;
  /** Journal blocks of this chunk, the descriptor included. */
  readonly length: number;
  /** Blocks described or revoked (`ld_data1`). */
  readonly tags: number;
}

/**
 * Log descriptor, one block; tags follow from byte 72. Big-endian.
 *
 * offset size field
 *      0   24 header   type 9, format 900
 *     24    4 type     `LOG_DESC`
 *     28    4 length
 *     32    4 data1    number of tags
 *     36   36 –        zero
 *     72    – tags     u64 block numbers; with JDATA u64 pairs: block, 1 if its first word was escaped
 *
 * Makes a whole block without tags: they are written with `setLogTag`.
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_log_descriptor`; fs/gfs2/lops.c, `gfs2_get_log_desc`.
 */
export function encodeLogDescriptor(descriptor: LogDescriptor, block: Uint8Array): void {
  initMetaBlock(block, META_TYPE.LD);
  const view = viewOf(block);
  view.setUint32(24, descriptor.type);
  view.setUint32(28, descriptor.length);
  view.setUint32(32, descriptor.tags);
}

/** Reads a log descriptor; undefined when the block is none. */
export function decodeLogDescriptor(block: Uint8Array): LogDescriptor | undefined {
  if (!isMetaBlock(block, META_TYPE.LD)) return undefined;
  const view = viewOf(block);
  return { type: view.getUint32(24), length: view.getUint32(28), tags: view.getUint32(32) };
}

/** 64-bit word number `index` of the tags: tag `index`, or for JDATA block `index / 2` and then its escape flag. */
export function getLogTag(descriptor: Uint8Array, index: number): number {
  return getU64(viewOf(descriptor), LOG_DESCRIPTOR_BYTES + 8 * index);
}

export function setLogTag(descriptor: Uint8Array, index: number, value: number): void {
  setU64(viewOf(descriptor), LOG_DESCRIPTOR_BYTES + 8 * index, value);
}

/** Revoke number `index` of a continuation block (type 12), which holds `inptrs` of them from byte 24. */
export function getRevoke(block: Uint8Array, index: number): number {
  return getU64(viewOf(block), META_HEADER_BYTES + 8 * index);
}

export function setRevoke(block: Uint8Array, index: number, value: number): void {
  setU64(viewOf(block), META_HEADER_BYTES + 8 * index, value);
}

/** Journal blocks of a chunk with that many revokes: the descriptor and its continuation blocks. */
export function revokeBlocks(geometry: Geometry, revokes: number): number {
  return 1 + Math.ceil(Math.max(0, revokes - geometry.ldptrs) / geometry.inptrs);
}
