import type { Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import { addFileData, isJournaled } from './data-block.js';
import type { Inode } from './inode.js';
import { dropPrivileges } from './permission.js';
import { punch } from './punch.js';
import { setModified } from './times.js';
import { mapExtent, writeDinode } from './tree.js';

/** Makes a range of a file a hole; its size stays (`__gfs2_punch_hole`). The caller holds the glock EX. */
export function* punchHole(fs: FileSystem, inode: Inode, offset: number, length: number): Task {
  const { blockSize } = fs.core.geometry;
  const end = offset + length;
  const first = Math.ceil(offset / blockSize);
  const last = Math.floor(end / blockSize);
  yield* zeroEdges(fs, inode, offset, end);
  if (first < last) yield* punch(fs, inode, first, last);
}

/** Bytes of one block, from `from` on and before `to`. */
interface Edge {
  readonly buffer: Buffer;
  readonly from: number;
  readonly to: number;
}

/** Zeros what is in blocks that the range covers in part, and what is stuffed. */
function* zeroEdges(fs: FileSystem, inode: Inode, offset: number, end: number): Task {
  const { log } = fs.core;
  const dinode = yield* fs.inodes.dinodeBuffer(inode);
  const { size, height } = inode.di;
  const edges = height === 0 ? [] : yield* edgesOf(fs, inode, offset, end);
  yield* log.transact(1 + (isJournaled(inode) ? edges.length : 0), 0, function* (transaction) {
    log.addMeta(transaction, dinode);
    if (height === 0 && offset < size) dinode.data.fill(0, DINODE_BYTES + offset, DINODE_BYTES + Math.min(end, size));
    for (const { buffer, from, to } of edges) {
      addFileData(fs, inode, transaction, buffer);
      buffer.data.fill(0, from, to);
    }
    dropPrivileges(fs, inode);
    setModified(fs, inode);
    yield* writeDinode(fs, inode, transaction);
  });
}

function* edgesOf(fs: FileSystem, inode: Inode, offset: number, end: number): Task<Edge[]> {
  const { blockSize } = fs.core.geometry;
  const edges: Edge[] = [];
  for (const lblock of new Set([Math.floor(offset / blockSize), Math.floor(end / blockSize)])) {
    const from = Math.max(0, offset - lblock * blockSize);
    const to = Math.min(blockSize, end - lblock * blockSize);
    if (to <= 0 || to - from === blockSize) continue;
    const { block } = yield* mapExtent(fs, inode, lblock, 1);
    if (block !== 0) edges.push({ buffer: yield* fs.core.cache.read(inode.glock.space, block), from, to });
  }
  return edges;
}
