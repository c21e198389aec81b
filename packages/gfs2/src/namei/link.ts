import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import type { Holder } from '../glock/glock.js';
import { addEntry, blocksForEntry, type Name, searchDirectory } from '../inode/directory.js';
import type { Inode } from '../inode/inode.js';
import { checkMayCreate } from '../inode/permission.js';
import { setChanged, setModified } from '../inode/times.js';
import { writeDinode } from '../inode/tree.js';
import { DIF, direntTypeOf, isDirectory } from '../ondisk/dinode.js';
import { checkLimits } from '../quota/quotas.js';
import { Refusal } from '../refusal.js';

/** Gives a file one more name (`gfs2_link`). @throws {Refusal} EPERM for a directory, EACCES, EEXIST, ENOENT, EMLINK, ENOSPC */
export function* linkInode(fs: FileSystem, inode: Inode, dir: Inode, name: Name): Task {
  // A directory cannot be linked, and into itself it could not even be locked twice.
  if (inode === dir) throw new Refusal('EPERM');
  const holders: Holder[] = [];
  try {
    holders.push(yield* fs.inodes.lock(dir, 'EX'));
    holders.push(yield* fs.inodes.lock(inode, 'EX'));
    yield* checkLink(fs, inode, dir, name);
    const entryBlocks = yield* blocksForEntry(fs, dir, name);
    yield* checkLimits(fs, dir.di, entryBlocks);
    yield* fs.rgrps.using(fs.rgrps.reservationOf(dir), entryBlocks, (grant) => {
      const blocks = 4 + 2 * entryBlocks + 3 + fs.rgrps.bitmapBlocks(grant, entryBlocks);
      return fs.core.log.transact(blocks, 0, function* (transaction) {
        const { formalIno, addr, mode } = inode.di;
        const dirent = { formalIno, addr, type: direntTypeOf(mode), name: name.bytes };
        yield* addEntry({ fs, inode: dir, transaction, grant }, name, dirent);
        setModified(fs, dir);
        yield* writeDinode(fs, dir, transaction);
        inode.di.nlink += 1;
        setChanged(fs, inode);
        yield* writeDinode(fs, inode, transaction);
      });
    });
  } finally {
    for (const holder of holders.reverse()) fs.core.locks.release(holder);
  }
}

function* checkLink(fs: FileSystem, inode: Inode, dir: Inode, name: Name): Task {
  if (isDirectory(inode.di)) throw new Refusal('EPERM');
  if (!isDirectory(dir.di)) throw new Refusal('ENOTDIR');
  if (dir.di.nlink === 0 || inode.di.nlink === 0) throw new Refusal('ENOENT');
  if (inode.di.nlink === 0xffff_ffff) throw new Refusal('EMLINK');
  if ((yield* searchDirectory(fs, dir, name)) !== undefined) throw new Refusal('EEXIST');
  checkMayCreate(fs, dir);
  if ((inode.di.flags & (DIF.APPENDONLY | DIF.IMMUTABLE)) !== 0) throw new Refusal('EPERM');
}
