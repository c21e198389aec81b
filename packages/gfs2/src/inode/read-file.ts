import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import type { Inode } from './inode.js';
import { mapExtent } from './tree.js';

/**
 * Reads bytes of a file, fewer at its end. The caller holds the glock. What is given aliases the cache when it lies in one
 * block, and is valid until the caller's next yield.
 *
 * @throws {Refusal} EIO
 */
export function* readFile(fs: FileSystem, inode: Inode, offset: number, length: number): Task<Uint8Array> {
  const { size, height } = inode.di;
  const count = Math.max(0, Math.min(length, size - offset));
  if (count === 0) return new Uint8Array(0);
  if (height === 0) {
    const { data } = yield* fs.inodes.dinodeBuffer(inode);
    return data.subarray(DINODE_BYTES + offset, DINODE_BYTES + offset + count);
  }
  const { blockSize } = fs.core.geometry;
  const within = offset % blockSize;
  if (within + count <= blockSize) {
    const { block } = yield* mapExtent(fs, inode, Math.floor(offset / blockSize), 1);
    if (block === 0) return new Uint8Array(count);
    const { data } = yield* fs.core.cache.read(inode.glock.space, block);
    return data.subarray(within, within + count);
  }
  return yield* readBlocks(fs, inode, offset, count);
}

function* readBlocks(fs: FileSystem, inode: Inode, offset: number, count: number): Task<Uint8Array> {
  const { cache, geometry } = fs.core;
  const { blockSize } = geometry;
  const bytes = new Uint8Array(count);
  const first = Math.floor(offset / blockSize);
  const end = Math.floor((offset + count - 1) / blockSize) + 1;
  const extents = [];
  for (let lblock = first; lblock < end; ) {
    const extent = yield* mapExtent(fs, inode, lblock, end - lblock);
    if (extent.block !== 0) cache.readAhead(inode.glock.space, extent.block, extent.count);
    extents.push({ lblock, ...extent });
    lblock += extent.count;
  }
  for (const extent of extents) {
    for (let i = 0; extent.block !== 0 && i < extent.count; i++) {
      const { data } = yield* cache.read(inode.glock.space, extent.block + i);
      copyBlock(data, (extent.lblock + i) * blockSize, bytes, offset);
    }
  }
  return bytes;
}

/** Copies the part of a block at byte `at` of the file that lies in `bytes`, which starts at byte `offset`. */
function copyBlock(block: Uint8Array, at: number, bytes: Uint8Array, offset: number): void {
  const from = Math.max(0, offset - at);
  const to = Math.min(block.length, offset + bytes.length - at);
  bytes.set(block.subarray(from, to), at + from - offset);
}
