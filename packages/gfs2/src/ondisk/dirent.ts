import { crc32, getU64, setU64, viewOf } from '@quorate/kernel';

/** Bytes of a directory entry before its name. */
export const DIRENT_BYTES = 40;

/** One directory entry. */
export interface Dirent {
  /** Byte in the block where the record starts. */
  readonly offset: number;
  readonly formalIno: number;
  readonly addr: number;
  /** Hash of the name as stored; `direntHash` says what it should be. */
  readonly hash: number;
  readonly recLen: number;
  /** Type bits of the inode's mode shifted down: 4 directory, 8 file, 10 symlink, 6 block, 2 character, 1 fifo, 12 socket. */
  readonly type: number;
  /** 1 when the inode's xattr block follows its dinode (`de_rahead`). */
  readonly rahead: number;
  /** Raw bytes, usually UTF-8, without NUL. Aliases the block. */
  readonly name: Uint8Array;
}

/** What a new entry says; its place and record length come from where it is put. */
export interface NewDirent {
  readonly formalIno: number;
  readonly addr: number;
  readonly type: number;
  readonly rahead?: number;
  readonly name: Uint8Array;
}

/** Hash of a name in a directory: CRC-32 (`gfs2_disk_hash`). */
export function direntHash(name: Uint8Array): number {
  return crc32(name);
}

/** Bytes that a record with a name of that length needs (`GFS2_DIRENT_SIZE`). */
export function direntSize(nameLen: number): number {
  return (DIRENT_BYTES + nameLen + 7) & ~7;
}

/**
 * Directory entry. Big-endian; record lengths are multiples of 8.
 *
 * offset size field
 *      0    8 formal_ino   0 together with or instead of addr: the record is empty
 *      8    8 addr
 *     16    4 hash         CRC-32 of the name
 *     20    2 rec_len      to the next record, or to the end of the block
 *     22    2 name_len
 *     24    2 type         mode >> 12
 *     26    2 rahead       1 if the inode's xattr block is at addr + 1
 *     28   12 –            zero
 *     40    n name
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_dirent`; fs/gfs2/dir.c, `gfs2_qstr2dirent`.
 */
export function encodeDirent(dirent: NewDirent, hash: number, recLen: number, block: Uint8Array, offset: number): void {
  const view = viewOf(block);
  setU64(view, offset, dirent.formalIno);
  setU64(view, offset + 8, dirent.addr);
  view.setUint32(offset + 16, hash);
  view.setUint16(offset + 20, recLen);
  view.setUint16(offset + 22, dirent.name.length);
  view.setUint16(offset + 24, dirent.type);
  view.setUint16(offset + 26, dirent.rahead ?? 0);
  block.fill(0, offset + 28, offset + DIRENT_BYTES);
  block.set(dirent.name, offset + DIRENT_BYTES);
}

/** Reads the record at `offset`, which must have been checked to lie in the block (`direntFault`). */
export function decodeDirent(block: Uint8Array, offset: number): Dirent {
  const view = viewOf(block);
  return {
    offset,
    formalIno: getU64(view, offset),
    addr: getU64(view, offset + 8),
    hash: view.getUint32(offset + 16),
    recLen: view.getUint16(offset + 20),
    type: view.getUint16(offset + 24),
    rahead: view.getUint16(offset + 26),
    name: block.subarray(offset + DIRENT_BYTES, offset + DIRENT_BYTES + view.getUint16(offset + 22)),
  };
}
