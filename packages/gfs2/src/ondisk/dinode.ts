import { getI64, getU64, setI64, setU64, viewOf } from '@quorate/kernel';
import { encodeMetaHeader, isMetaBlock, META_TYPE } from './meta-header.js';

/** Flags of a dinode (`GFS2_DIF_…`). */
export const DIF = {
  JDATA: 0x1,
  EXHASH: 0x2,
  EA_INDIRECT: 0x8,
  IMMUTABLE: 0x20,
  APPENDONLY: 0x40,
  NOATIME: 0x80,
  SYNC: 0x100,
  SYSTEM: 0x200,
  TOPDIR: 0x400,
  TRUNC_IN_PROG: 0x2000_0000,
  INHERIT_JDATA: 0x8000_0000,
} as const;

/** `di_payload_format` of dinodes whose payload has one; 0 for all others. */
export const PAYLOAD = {
  /** The `rindex` file (`GFS2_FORMAT_RI`). */
  RINDEX: 1100,
  /** A linear directory (`GFS2_FORMAT_DE`). */
  DIRENT: 1200,
  /** The `quota` file (`GFS2_FORMAT_QU`). */
  QUOTA: 1500,
} as const;

/** File type bits of `mode`, as `stat` has them. */
export const MODE = {
  TYPE: 0o170000,
  SOCKET: 0o140000,
  SYMLINK: 0o120000,
  FILE: 0o100000,
  BLOCK: 0o060000,
  DIRECTORY: 0o040000,
  CHARACTER: 0o020000,
  FIFO: 0o010000,
} as const;

/** An inode as its dinode block describes it. Sizes in bytes, times in seconds and nanoseconds since 1970. */
export interface Dinode {
  /** `no_formal_ino`. */
  formalIno: number;
  /** The dinode's own block (`no_addr`). */
  addr: number;
  mode: number;
  uid: number;
  gid: number;
  /** Links; a directory has 2 and one for each of its subdirectories. */
  nlink: number;
  /** A linear directory says block size - 232, an exhash directory 8 * 2^depth. */
  size: number;
  /** All blocks held: dinode, indirect, leaf, data, xattr. */
  blocks: number;
  atime: number;
  mtime: number;
  ctime: number;
  /** Device number of a device node. */
  major: number;
  minor: number;
  /** Where the next allocation starts looking; both goals always hold the same block. */
  goalMeta: number;
  goalData: number;
  generation: number;
  /** `DIF` bits. */
  flags: number;
  /** `PAYLOAD`. */
  payloadFormat: number;
  /** Height of the metadata tree; 0 when the content is stuffed into this block. */
  height: number;
  /** log2 of the hash table's entries, exhash directories only. */
  depth: number;
  /** Directory entries, `.` and `..` included. */
  entries: number;
  /** Block of the extended attributes, 0 if there are none. */
  eattr: number;
  atimeNsec: number;
  mtimeNsec: number;
  ctimeNsec: number;
}

/**
 * Dinode, the first 232 bytes of its block. Big-endian.
 *
 * offset size field
 *      0   24 header          type 4, format 400
 *     24    8 formal_ino
 *     32    8 addr            must be the block's own number
 *     40    4 mode
 *     44    4 uid
 *     48    4 gid
 *     52    4 nlink
 *     56    8 size
 *     64    8 blocks
 *     72    8 atime           seconds, signed
 *     80    8 mtime
 *     88    8 ctime
 *     96    4 major
 *    100    4 minor
 *    104    8 goal_meta
 *    112    8 goal_data
 *    120    8 generation
 *    128    4 flags
 *    132    4 payload_format
 *    136    2 –               zero
 *    138    2 height
 *    140    6 –               zero
 *    146    2 depth
 *    148    4 entries
 *    152   16 –               zero
 *    168    8 eattr
 *    176    4 atime_nsec
 *    180    4 mtime_nsec
 *    184    4 ctime_nsec
 *    188   44 –               zero
 *
 * Leaves what follows (stuffed data, pointers, directory entries) alone. Who has a view of the block hands it over.
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_dinode`; fs/gfs2/super.c, `gfs2_dinode_out`.
 */
export function encodeDinode(dinode: Readonly<Dinode>, block: Uint8Array, view: DataView = viewOf(block)): void {
  encodeMetaHeader(block, META_TYPE.DI);
  setU64(view, 24, dinode.formalIno);
  setU64(view, 32, dinode.addr);
  view.setUint32(40, dinode.mode);
  view.setUint32(44, dinode.uid);
  view.setUint32(48, dinode.gid);
  view.setUint32(52, dinode.nlink);
  setU64(view, 56, dinode.size);
  setU64(view, 64, dinode.blocks);
  setI64(view, 72, dinode.atime);
  setI64(view, 80, dinode.mtime);
  setI64(view, 88, dinode.ctime);
  view.setUint32(96, dinode.major);
  view.setUint32(100, dinode.minor);
  setU64(view, 104, dinode.goalMeta);
  setU64(view, 112, dinode.goalData);
  setU64(view, 120, dinode.generation);
  view.setUint32(128, dinode.flags);
  view.setUint32(132, dinode.payloadFormat);
  view.setUint16(136, 0);
  view.setUint16(138, dinode.height);
  clear(view, 140, 146);
  view.setUint16(146, dinode.depth);
  view.setUint32(148, dinode.entries);
  clear(view, 152, 168);
  setU64(view, 168, dinode.eattr);
  view.setUint32(176, dinode.atimeNsec);
  view.setUint32(180, dinode.mtimeNsec);
  view.setUint32(184, dinode.ctimeNsec);
  clear(view, 188, 232);
}

/** Zeros [from, to), an even number of bytes. Of so few, a fill of the array takes longer. */
function clear(view: DataView, from: number, to: number): void {
  let at = from;
  for (; at + 4 <= to; at += 4) view.setUint32(at, 0);
  if (at < to) view.setUint16(at, 0);
}

/** Reads a dinode; undefined when the block is none. Copies, keeps nothing of `block`. */
export function decodeDinode(block: Uint8Array): Dinode | undefined {
  if (!isMetaBlock(block, META_TYPE.DI)) return undefined;
  const view = viewOf(block);
  return {
    formalIno: getU64(view, 24),
    addr: getU64(view, 32),
    mode: view.getUint32(40),
    uid: view.getUint32(44),
    gid: view.getUint32(48),
    nlink: view.getUint32(52),
    size: getU64(view, 56),
    blocks: getU64(view, 64),
    atime: getI64(view, 72),
    mtime: getI64(view, 80),
    ctime: getI64(view, 88),
    major: view.getUint32(96),
    minor: view.getUint32(100),
    goalMeta: getU64(view, 104),
    goalData: getU64(view, 112),
    generation: getU64(view, 120),
    flags: view.getUint32(128),
    payloadFormat: view.getUint32(132),
    height: view.getUint16(138),
    depth: view.getUint16(146),
    entries: view.getUint32(148),
    eattr: getU64(view, 168),
    atimeNsec: view.getUint32(176),
    mtimeNsec: view.getUint32(180),
    ctimeNsec: view.getUint32(184),
  };
}

export function isDirectory(dinode: { readonly mode: number }): boolean {
  return (dinode.mode & MODE.TYPE) === MODE.DIRECTORY;
}

export function isRegular(dinode: { readonly mode: number }): boolean {
  return (dinode.mode & MODE.TYPE) === MODE.FILE;
}

export function isSymlink(dinode: { readonly mode: number }): boolean {
  return (dinode.mode & MODE.TYPE) === MODE.SYMLINK;
}

/** Type of a directory entry for an inode of that mode (`IF2DT`): 4 directory, 8 file, 10 symlink, … */
export function direntTypeOf(mode: number): number {
  return (mode & MODE.TYPE) >>> 12;
}
