import type { Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import type { Transaction } from '../log/log.js';
import { DIF } from '../ondisk/dinode.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import { checkLimits } from '../quota/quotas.js';
import { addFileData } from './data-block.js';
import type { Inode } from './inode.js';
import { dropPrivileges } from './permission.js';
import { punch } from './punch.js';
import { setModified } from './times.js';
import { mapExtent, unstuff, writeDinode } from './tree.js';

/** Sets the size of a file. The caller holds the glock EX. @throws {Refusal} ENOSPC, EIO */
export function* setSize(fs: FileSystem, inode: Inode, size: number): Task {
  if (size > inode.di.size) yield* extend(fs, inode, size);
  else if (size < inode.di.size) yield* shrink(fs, inode, size);
}

/** Makes a file longer; what is new is a hole (`do_grow`). */
function* extend(fs: FileSystem, inode: Inode, size: number): Task {
  const { log, geometry } = fs.core;
  const setEnd = function* (transaction: Transaction): Task {
    inode.di.size = size;
    dropPrivileges(fs, inode);
    setModified(fs, inode);
    yield* writeDinode(fs, inode, transaction);
  };
  if (inode.di.height > 0 || size <= geometry.maxStuffed) return yield* log.transact(1, 0, setEnd);
  yield* checkLimits(fs, inode.di, 1);
  yield* fs.rgrps.using(fs.rgrps.reservationOf(inode), 1, (grant) =>
    log.transact(3 + fs.rgrps.bitmapBlocks(grant, 1), 0, function* (transaction) {
      yield* unstuff({ fs, inode, transaction, grant });
      yield* setEnd(transaction);
    }),
  );
}

/** Makes a file shorter (`do_shrink`): first the size, then the blocks, so that a crash in between loses nothing. */
function* shrink(fs: FileSystem, inode: Inode, size: number): Task {
  yield* startTruncate(fs, inode, size);
  if (inode.di.height > 0) yield* finishTruncate(fs, inode);
}

/** Frees the blocks behind the size and ends the truncation; also for one that another node began. */
export function* finishTruncate(fs: FileSystem, inode: Inode): Task {
  yield* punch(fs, inode, Math.ceil(inode.di.size / fs.core.geometry.blockSize));
  yield* fs.core.log.transact(1, 0, function* (transaction) {
    const { di } = inode;
    di.flags = (di.flags & ~DIF.TRUNC_IN_PROG) >>> 0;
    if (di.size === 0) {
      di.height = 0;
      di.goalMeta = di.goalData = di.addr;
    }
    const buffer = yield* fs.inodes.dinodeBuffer(inode);
    fs.core.log.addMeta(transaction, buffer);
    if (di.height === 0) buffer.data.fill(0, DINODE_BYTES);
    yield* writeDinode(fs, inode, transaction);
  });
}

/** The transaction that makes the file shorter (`trunc_start`). */
function* startTruncate(fs: FileSystem, inode: Inode, size: number): Task {
  const { log, geometry } = fs.core;
  const dinode = yield* fs.inodes.dinodeBuffer(inode);
  const tail = inode.di.height > 0 ? yield* tailBlock(fs, inode, size) : undefined;
  yield* log.transact(2, 0, function* (transaction) {
    log.addMeta(transaction, dinode);
    if (inode.di.height === 0) dinode.data.fill(0, DINODE_BYTES + size);
    else inode.di.flags = (inode.di.flags | DIF.TRUNC_IN_PROG) >>> 0;
    if (tail !== undefined) {
      addFileData(fs, inode, transaction, tail);
      tail.data.fill(0, size % geometry.blockSize);
    }
    inode.di.size = size;
    dropPrivileges(fs, inode);
    setModified(fs, inode);
    yield* writeDinode(fs, inode, transaction);
  });
}

/** The block in which the file will end, if its end is inside one. */
function* tailBlock(fs: FileSystem, inode: Inode, size: number): Task<Buffer | undefined> {
  const { blockSize } = fs.core.geometry;
  if (size % blockSize === 0) return undefined;
  const { block } = yield* mapExtent(fs, inode, Math.floor(size / blockSize), 1);
  return block === 0 ? undefined : yield* fs.core.cache.read(inode.glock.space, block);
}
