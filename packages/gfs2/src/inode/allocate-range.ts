import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { checkLimits } from '../quota/quotas.js';
import { Refusal } from '../refusal.js';
import { chunkBlocks, type Plan, planChunk, RES_DINODE, RES_STATFS } from './chunk-plan.js';
import { addFileData, isJournaled } from './data-block.js';
import type { Inode } from './inode.js';
import { dropPrivileges } from './permission.js';
import { setModified } from './times.js';
import { allocExtent, type Extent, growHeight, type TreeChange, unstuff, writeDinode } from './tree.js';

/**
 * Gives every hole of a range blocks with zeros (`__gfs2_fallocate`; there is no "unwritten" on disk). With `grows` the file then
 * ends no earlier than the range. The caller holds the glock EX.
 *
 * @throws {Refusal} ENOSPC: what was allocated up to then stays
 */
export function* allocateRange(fs: FileSystem, inode: Inode, offset: number, length: number, grows: boolean): Task {
  const { blockSize } = fs.core.geometry;
  const end = offset + length;
  for (let at = offset - (offset % blockSize); at < end; ) {
    const next = Math.min(end, at + chunkBlocks(fs, inode, at / blockSize) * blockSize);
    yield* allocateChunk(fs, inode, yield* planChunk(fs, inode, at, next - at));
    at = next;
  }
  yield* fs.core.log.transact(RES_DINODE, 0, function* (transaction) {
    if (grows) inode.di.size = Math.max(inode.di.size, end);
    dropPrivileges(fs, inode);
    setModified(fs, inode);
    yield* writeDinode(fs, inode, transaction);
  });
}

function* allocateChunk(fs: FileSystem, inode: Inode, plan: Plan): Task {
  if (plan.missing === 0 && inode.di.height > 0) return;
  const target = plan.missing + plan.indirect + (inode.di.height === 0 ? 1 : 0);
  yield* checkLimits(fs, inode.di, target);
  yield* fs.rgrps.using(fs.rgrps.reservationOf(inode), target, (grant) => {
    const journaled = isJournaled(inode) ? plan.missing + 1 : 0;
    const blocks = RES_DINODE + RES_STATFS + plan.indirect + fs.rgrps.bitmapBlocks(grant, target) + journaled;
    return fs.core.log.transact(blocks, 0, (transaction) => fillHoles({ fs, inode, transaction, grant }, plan));
  });
}

function* fillHoles(change: TreeChange, plan: Plan): Task {
  const { fs, inode, transaction } = change;
  if (inode.di.height === 0) yield* unstuff(change);
  if (inode.di.height < plan.height) yield* growHeight(change, plan.height);
  for (let lblock = plan.first; lblock < plan.first + plan.count; ) {
    const extent = yield* allocExtent(change, lblock, plan.first + plan.count - lblock);
    if (extent.isNew) yield* writeZeros(change, extent);
    lblock += extent.count;
  }
  yield* writeDinode(fs, inode, transaction);
}

/** The zeros are on the disk before the transaction can be: nothing of them has to wait in memory. */
function* writeZeros({ fs, inode, transaction }: TreeChange, { block, count }: Extent): Task {
  const { cache } = fs.core;
  const { space } = inode.glock;
  if (isJournaled(inode)) {
    for (let i = 0; i < count; i++) addFileData(fs, inode, transaction, cache.create(space, block + i));
    return;
  }
  const error = yield* cache.writeZeros(space, block, count);
  if (error === undefined) return;
  fs.core.hooks.withdraw(`error writing zeros: ${error}`);
  throw new Refusal('EIO');
}
