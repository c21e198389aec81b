import { DINODE_BYTES, type Geometry, MAX_HEIGHT } from './geometry.js';
import { META_HEADER_BYTES, setWordAt, wordAt } from './meta-header.js';

/** Pointers of one block of a metadata tree: where they start and how many fit. */
export interface PointerArea {
  /** 232 in a dinode, 24 in an indirect block. */
  readonly offset: number;
  readonly count: number;
}

/** The pointers of the block at `level` of a tree: level 0 is the dinode, the levels below are indirect blocks. */
export function pointerArea(geometry: Geometry, level: number): PointerArea {
  return level === 0
    ? { offset: DINODE_BYTES, count: geometry.diptrs }
    : { offset: META_HEADER_BYTES, count: geometry.inptrs };
}

/** Pointer number `index` of a block at `level`; 0 is a hole. */
export function getPointer(block: Uint8Array, level: number, index: number): number {
  const at = (level === 0 ? DINODE_BYTES : META_HEADER_BYTES) + 8 * index;
  return wordAt(block, at) * 0x1_0000_0000 + wordAt(block, at + 4);
}

export function setPointer(block: Uint8Array, level: number, index: number, target: number): void {
  const at = (level === 0 ? DINODE_BYTES : META_HEADER_BYTES) + 8 * index;
  setWordAt(block, at, Math.floor(target / 0x1_0000_0000));
  setWordAt(block, at + 4, target >>> 0);
}

/** Logical blocks that a tree of this height can hold; 0 at height 0, where the content is stuffed. */
export function blocksAtHeight(geometry: Geometry, height: number): number {
  let blocks = height === 0 ? 0 : geometry.diptrs;
  for (let level = 1; level < height; level++) blocks *= geometry.inptrs;
  return blocks;
}

/**
 * Lowest height that holds `bytes` bytes of content, `perBlock` in each data block: the block size for files, `jbsize`
 * for the hash table of a directory. Larger than `MAX_HEIGHT` when none does.
 */
export function heightFor(geometry: Geometry, bytes: number, perBlock: number = geometry.blockSize): number {
  if (bytes <= geometry.maxStuffed) return 0;
  let height = 1;
  let capacity = geometry.diptrs * perBlock;
  while (capacity < bytes && height <= MAX_HEIGHT) {
    capacity *= geometry.inptrs;
    height += 1;
  }
  return height;
}

/**
 * Path of logical block `lblock` in a tree of that height: the pointer's index at each level, the dinode's first
 * (`find_metapath`). Fills `path` and returns it; entries beyond `height` are stale.
 */
export function findMetapath(geometry: Geometry, height: number, lblock: number, path: number[]): number[] {
  let rest = lblock;
  for (let level = height - 1; level > 0; level--) {
    const above = Math.floor(rest / geometry.inptrs);
    path[level] = rest - above * geometry.inptrs;
    rest = above;
  }
  path[0] = rest;
  return path;
}

/** Indirect blocks of a dense tree with `dataBlocks` data blocks at that height. */
export function indirectBlocksFor(geometry: Geometry, dataBlocks: number, height: number): number {
  let total = 0;
  let below = dataBlocks;
  for (let level = height - 1; level > 0; level--) {
    below = Math.ceil(below / geometry.inptrs);
    total += below;
  }
  return total;
}
