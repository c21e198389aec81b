import { getU64, setU64, viewOf } from '@quorate/kernel';
import { PAYLOAD } from './dinode.js';
import { encodeMetaHeader, isMetaBlock, META_TYPE } from './meta-header.js';

/** Bytes of a leaf before its directory entries. */
export const LEAF_BYTES = 104;

/** Header of a leaf block of an exhash directory. */
export interface Leaf {
  /** Leading hash bits that all names here share. */
  depth: number;
  /** Entries in this block. */
  entries: number;
  /** Next leaf of the chain, 0 at its end. */
  next: number;
  /** The directory's dinode. */
  inode: number;
  /** Place in the chain: 1 for the leaf in the hash table, 2, 3, … behind it; 0 is unknown. */
  dist: number;
  nsec: number;
  sec: number;
}

/**
 * Leaf header, the first 104 bytes of a leaf block. Big-endian.
 *
 * offset size field
 *      0   24 header          type 6, format 600
 *     24    2 depth
 *     26    2 entries
 *     28    4 dirent_format   1200
 *     32    8 next
 *     40    8 inode
 *     48    4 dist
 *     52    4 nsec            time of the last change
 *     56    8 sec
 *     64   40 –               zero
 *
 * Leaves the directory entries behind it alone.
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_leaf`; fs/gfs2/dir.c, `new_leaf`.
 */
export function encodeLeaf(leaf: Readonly<Leaf>, block: Uint8Array): void {
  const view = viewOf(block);
  encodeMetaHeader(block, META_TYPE.LF);
  view.setUint16(24, leaf.depth);
  view.setUint16(26, leaf.entries);
  view.setUint32(28, PAYLOAD.DIRENT);
  setU64(view, 32, leaf.next);
  setU64(view, 40, leaf.inode);
  view.setUint32(48, leaf.dist);
  view.setUint32(52, leaf.nsec);
  setU64(view, 56, leaf.sec);
  block.fill(0, 64, LEAF_BYTES);
}

/** Reads a leaf header; undefined when the block is no leaf. */
export function decodeLeaf(block: Uint8Array): Leaf | undefined {
  if (!isMetaBlock(block, META_TYPE.LF)) return undefined;
  const view = viewOf(block);
  return {
    depth: view.getUint16(24),
    entries: view.getUint16(26),
    next: getU64(view, 32),
    inode: getU64(view, 40),
    dist: view.getUint32(48),
    nsec: view.getUint32(52),
    sec: getU64(view, 56),
  };
}
