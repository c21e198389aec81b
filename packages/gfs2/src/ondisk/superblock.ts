import { cString, getU64, setU64, viewOf } from '@quorate/kernel';
import { initMetaBlock, isMetaBlock, META_TYPE } from './meta-header.js';

/** Formal inode number and block of an inode; both must match for a directory entry to mean it (`gfs2_inum`). */
export interface Inum {
  /** Distinguishes the incarnations of one address (`no_formal_ino`). */
  readonly formalIno: number;
  /** Block of the dinode, what `stat` shows and locks name (`no_addr`). */
  readonly addr: number;
}

export interface Superblock {
  /** File system format, 1801 or 1802 (`sb_fs_format`). */
  readonly fsFormat: number;
  /** 1900 (`sb_multihost_format`). */
  readonly multihostFormat: number;
  readonly blockSize: number;
  readonly masterDir: Inum;
  readonly rootDir: Inum;
  /** `lock_dlm` or `lock_nolock` (`sb_lockproto`). */
  readonly lockProtocol: string;
  /** `cluster:filesystem` (`sb_locktable`). */
  readonly lockTable: string;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
}

/** Bytes of `sb_lockproto` and of `sb_locktable`, the closing NUL included. */
const LOCK_NAME_BYTES = 64;

/** `sb_multihost_format` of all GFS2 file systems. */
export const MULTIHOST_FORMAT = 1900;

/**
 * The superblock, one block at byte 65536. Big-endian.
 *
 * offset size field
 *      0   24 header            type 1, format 100
 *     24    4 fs_format         1801 or 1802
 *     28    4 multihost_format  1900
 *     32    4 –                 zero
 *     36    4 bsize             block size
 *     40    4 bsize_shift       its log2
 *     44    4 –                 zero
 *     48   16 master_dir        formal inode number, address
 *     64   16 –                 zero
 *     80   16 root_dir          formal inode number, address
 *     96   64 lockproto         NUL padded
 *    160   64 locktable         NUL padded
 *    224   32 –                 zero
 *    256   16 uuid
 *
 * Writes the whole block, zeros behind the last field.
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_sb`.
 */
export function encodeSuperblock(sb: Superblock, block: Uint8Array): void {
  initMetaBlock(block, META_TYPE.SB);
  const view = viewOf(block);
  view.setUint32(24, sb.fsFormat);
  view.setUint32(28, sb.multihostFormat);
  view.setUint32(36, sb.blockSize);
  view.setUint32(40, 31 - Math.clz32(sb.blockSize));
  encodeInum(view, 48, sb.masterDir);
  encodeInum(view, 80, sb.rootDir);
  encodeName(block, 96, sb.lockProtocol);
  encodeName(block, 160, sb.lockTable);
  block.set(sb.uuid.subarray(0, 16), 256);
}

/** Reads a superblock; undefined when the block is none or its block size and shift disagree. */
export function decodeSuperblock(block: Uint8Array): Superblock | undefined {
  if (block.length < 512 || !isMetaBlock(block, META_TYPE.SB)) return undefined;
  const view = viewOf(block);
  const shift = view.getUint32(40);
  const blockSize = view.getUint32(36);
  if (shift < 9 || shift > 16 || blockSize !== 1 << shift) return undefined;
  return {
    fsFormat: view.getUint32(24),
    multihostFormat: view.getUint32(28),
    blockSize,
    masterDir: decodeInum(view, 48),
    rootDir: decodeInum(view, 80),
    lockProtocol: cString(block, 96, 96 + LOCK_NAME_BYTES),
    lockTable: cString(block, 160, 160 + LOCK_NAME_BYTES),
    uuid: block.slice(256, 272),
  };
}

function encodeInum(view: DataView, offset: number, inum: Inum): void {
  setU64(view, offset, inum.formalIno);
  setU64(view, offset + 8, inum.addr);
}

function decodeInum(view: DataView, offset: number): Inum {
  return { formalIno: getU64(view, offset), addr: getU64(view, offset + 8) };
}

function encodeName(block: Uint8Array, offset: number, name: string): void {
  for (let i = 0; i < name.length && i < LOCK_NAME_BYTES - 1; i++) block[offset + i] = name.charCodeAt(i);
}
