import { crc32, getI64, getU64, setI64, setU64, viewOf } from '@quorate/kernel';
import { encodeMetaHeader, isMetaBlock, META_TYPE } from './meta-header.js';
import { ZeroTailCrc } from './zero-tail-crc.js';

/** Flags of a log header (`GFS2_LOG_HEAD_…`): what kind of flush wrote it, and who asked for it (`GFS2_LFC_…`). */
export const LOG_HEAD = {
  /** The log is clean: nothing to replay. */
  UNMOUNT: 0x1,
  FLUSH_NORMAL: 0x2,
  FLUSH_SYNC: 0x4,
  FLUSH_SHUTDOWN: 0x8,
  FLUSH_FREEZE: 0x10,
  RECOVERY: 0x20,
  USERSPACE: 0x8000_0000,
  LFC_SHUTDOWN: 0x100,
  LFC_JDATA_WPAGES: 0x200,
  LFC_SET_FLAGS: 0x400,
  LFC_AIL_EMPTY_GL: 0x800,
  LFC_AIL_FLUSH: 0x1000,
  LFC_RGRP_GO_SYNC: 0x2000,
  LFC_INODE_GO_SYNC: 0x4000,
  LFC_INODE_GO_INVAL: 0x8000,
  LFC_FREEZE_GO_SYNC: 0x1_0000,
  LFC_KILL_SB: 0x2_0000,
  LFC_DO_SYNC: 0x4_0000,
  LFC_INPLACE_RESERVE: 0x8_0000,
  LFC_WRITE_INODE: 0x10_0000,
  LFC_MAKE_FS_RO: 0x20_0000,
  LFC_SYNC_FS: 0x40_0000,
  LFC_EVICT_INODE: 0x80_0000,
  LFC_TRANS_END: 0x100_0000,
  LFC_LOGD_JFLUSH_REQD: 0x200_0000,
  LFC_LOGD_AIL_FLUSH_REQD: 0x400_0000,
} as const;

/** Bytes that `lh_hash` covers: the header as it was before version 2. */
const V1_BYTES = 48;

/** First byte that `lh_crc` covers. */
const CRC_START = 52;

/** Bytes of the header that hold a field; the rest of its block is zero. */
const FIELD_BYTES = 120;

/** A log header: the commit record of one flush. */
export interface LogHeader {
  /** Journal id of the writer, which is not the journal's own when another node cleaned it. */
  readonly jid: number;
  /** One more with every header of a journal. */
  readonly sequence: number;
  /** `LOG_HEAD` bits. */
  readonly flags: number;
  /** Journal block where a replay starts. */
  readonly tail: number;
  /** Journal block of this header itself. */
  readonly blkno: number;
  readonly nsec: number;
  readonly sec: number;
  /** Block of this header on the device. */
  readonly addr: number;
  /** The journal's dinode. */
  readonly jinode: number;
  /** The writer's `statfs_change` dinode; 0 in headers of mkfs and of a recovery. */
  readonly statfsAddr: number;
  /** The writer's `quota_change` dinode; 0 likewise. */
  readonly quotaAddr: number;
  /** The writer's changes to the master statfs that it has not synced: blocks in total, free, dinodes. Signed. */
  readonly localTotal: number;
  readonly localFree: number;
  readonly localDinodes: number;
}

/**
 * Log header, one whole block. Big-endian.
 *
 * offset size field
 *      0   24 header         type 8, format 800, jid of the writer at 20
 *     24    8 sequence
 *     32    4 flags          `LOG_HEAD`
 *     36    4 tail
 *     40    4 blkno
 *     44    4 hash           CRC-32 of bytes 0..47 with this field zero
 *     48    4 crc            CRC-32C, not inverted at its end, of bytes 52 to the end of the block; 0 in version 1
 *     52    4 nsec
 *     56    8 sec
 *     64    8 addr
 *     72    8 jinode
 *     80    8 statfs_addr
 *     88    8 quota_addr
 *     96    8 local_total    signed
 *    104    8 local_free     signed
 *    112    8 local_dinodes  signed
 *    120    – –              zero
 *
 * Source: Linux include/uapi/linux/gfs2_ondisk.h, `gfs2_log_header`; fs/gfs2/log.c, `gfs2_write_log_header`.
 */
export class LogHeaderCodec {
  readonly #crc: ZeroTailCrc;
  readonly #v1: Uint8Array = new Uint8Array(V1_BYTES);

  /** Keeps tables for the checksum of blocks of that size: make one and reuse it. */
  constructor(blockSize: number) {
    this.#crc = new ZeroTailCrc(blockSize, FIELD_BYTES);
  }

  /** Writes the fields and both checksums. The block behind byte 120 must be zero already. */
  encode(header: LogHeader, block: Uint8Array): void {
    const view = viewOf(block);
    encodeMetaHeader(block, META_TYPE.LH, header.jid);
    setU64(view, 24, header.sequence);
    view.setUint32(32, header.flags);
    view.setUint32(36, header.tail);
    view.setUint32(40, header.blkno);
    view.setUint32(52, header.nsec);
    setU64(view, 56, header.sec);
    setU64(view, 64, header.addr);
    setU64(view, 72, header.jinode);
    setU64(view, 80, header.statfsAddr);
    setU64(view, 88, header.quotaAddr);
    setI64(view, 96, header.localTotal);
    setI64(view, 104, header.localFree);
    setI64(view, 112, header.localDinodes);
    view.setUint32(44, 0);
    view.setUint32(44, crc32(block, 0, V1_BYTES));
    view.setUint32(48, this.#crc.of(block, CRC_START));
  }

  /** Reads a log header; undefined unless magic, type, hash and checksum are right. Accepts version 1 (checksum 0). */
  decode(block: Uint8Array): LogHeader | undefined {
    if (!isMetaBlock(block, META_TYPE.LH)) return undefined;
    const view = viewOf(block);
    if (this.#hashOf(block) !== view.getUint32(44)) return undefined;
    const stored = view.getUint32(48);
    if (stored !== 0 && stored !== this.#crc.ofUnknown(block, CRC_START)) return undefined;
    return {
      jid: view.getUint32(20),
      sequence: getU64(view, 24),
      flags: view.getUint32(32),
      tail: view.getUint32(36),
      blkno: view.getUint32(40),
      nsec: view.getUint32(52),
      sec: getU64(view, 56),
      addr: getU64(view, 64),
      jinode: getU64(view, 72),
      statfsAddr: getU64(view, 80),
      quotaAddr: getU64(view, 88),
      localTotal: getI64(view, 96),
      localFree: getI64(view, 104),
      localDinodes: getI64(view, 112),
    };
  }

  #hashOf(block: Uint8Array): number {
    for (let i = 0; i < 44; i++) this.#v1[i] = block[i]!;
    return crc32(this.#v1);
  }
}
