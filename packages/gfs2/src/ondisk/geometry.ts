import { META_HEADER_BYTES } from './meta-header.js';

/** The superblock stands at this byte whatever the block size (basic block 128). */
export const SUPERBLOCK_BYTE = 65536;

/** Bytes of a dinode before its stuffed data, pointers or directory entries. */
export const DINODE_BYTES = 232;

/** Bytes of a log descriptor before its tags. */
export const LOG_DESCRIPTOR_BYTES = 72;

/** Largest tree height (`GFS2_MAX_META_HEIGHT`). */
export const MAX_HEIGHT = 10;

/** Largest depth of an exhash directory (`GFS2_DIR_MAX_DEPTH`). */
export const MAX_DIR_DEPTH = 17;

/** Largest name in bytes (`GFS2_FNAMESIZE`). */
export const MAX_NAME_BYTES = 255;

/** What follows from the block size. All lengths in bytes unless the name says otherwise. */
export interface Geometry {
  /** Power of two, 512..65536. */
  readonly blockSize: number;
  /** log2 of `blockSize`. */
  readonly blockShift: number;
  /** Block number of the superblock. */
  readonly superblock: number;
  /** Pointers in a dinode. */
  readonly diptrs: number;
  /** Pointers in an indirect block; also revokes in a continuation block. */
  readonly inptrs: number;
  /** Payload of a block with metadata header (`sd_jbsize`). */
  readonly jbsize: number;
  /** Largest stuffed file. */
  readonly maxStuffed: number;
  /** Size of a directory's first hash table (`sd_hash_bsize`). */
  readonly hashBlockSize: number;
  /** Tags of a log descriptor of metadata or revokes; half as many of journaled data. */
  readonly ldptrs: number;
  /** Quota changes in a block. */
  readonly quotaChangesPerBlock: number;
  /** Bitmap bytes in a resource group's header block. */
  readonly headBitmapBytes: number;
  /** Bitmap bytes in each further bitmap block. */
  readonly bitmapBytes: number;
}

/**
 * The derived numbers of a block size.
 *
 * @throws {RangeError} unless it is a power of two from 512 to 65536.
 */
export function geometryOf(blockSize: number): Geometry {
  if (blockSize < 512 || blockSize > 65536 || (blockSize & (blockSize - 1)) !== 0) {
    throw new RangeError(`block size ${blockSize} is not a power of two from 512 to 65536`);
  }
  const jbsize = blockSize - META_HEADER_BYTES;
  return {
    blockSize,
    blockShift: 31 - Math.clz32(blockSize),
    superblock: SUPERBLOCK_BYTE / blockSize,
    diptrs: (blockSize - DINODE_BYTES) / 8,
    inptrs: jbsize / 8,
    jbsize,
    maxStuffed: blockSize - DINODE_BYTES,
    hashBlockSize: blockSize / 2,
    ldptrs: (blockSize - LOG_DESCRIPTOR_BYTES) / 8,
    quotaChangesPerBlock: Math.floor(jbsize / 16),
    headBitmapBytes: blockSize - 128,
    bitmapBytes: jbsize,
  };
}
