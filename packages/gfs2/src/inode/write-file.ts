import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { checkLimits } from '../quota/quotas.js';
import { Refusal } from '../refusal.js';
import { chunkBlocks, MAX_CHUNK_BLOCKS, planChunk, targetOf } from './chunk-plan.js';
import type { Inode } from './inode.js';
import { writeChunk, writeStuffed } from './write-chunk.js';

/**
 * Writes bytes at `offset`, in several transactions if they are many. The caller holds the glock EX.
 *
 * Gives the number of bytes written, which is less than asked when the disk is full on the way.
 *
 * @throws {Refusal} ENOSPC, EDQUOT when nothing could be written, EFBIG, EIO
 */
export function* writeFile(fs: FileSystem, inode: Inode, offset: number, bytes: Uint8Array): Task<number> {
  const { blockSize, maxStuffed } = fs.core.geometry;
  if (bytes.length === 0) return 0;
  if (!Number.isSafeInteger(offset + bytes.length)) throw new Refusal('EFBIG');
  if (inode.di.height === 0 && offset + bytes.length <= maxStuffed)
    return yield* writeStuffed(fs, inode, offset, bytes);
  let written = 0;
  let most = MAX_CHUNK_BLOCKS;
  while (written < bytes.length) {
    const at = offset + written;
    const chunk = Math.min(most, chunkBlocks(fs, inode, Math.floor(at / blockSize)));
    const room = chunk * blockSize - (at % blockSize);
    try {
      const part = bytes.subarray(written, written + room);
      const plan = yield* planChunk(fs, inode, at, part.length);
      yield* checkLimits(fs, inode.di, targetOf(inode, plan));
      written += yield* writeChunk(fs, inode, plan, at, part);
    } catch (error) {
      if (!(error instanceof Refusal) || (error.errno !== 'ENOSPC' && error.errno !== 'EDQUOT')) throw error;
      // Less may still fit.
      if (chunk > 1) most = Math.max(1, chunk >> 2);
      else if (written > 0) return written;
      else throw error;
    }
  }
  return written;
}
