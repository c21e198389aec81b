import type { Task } from '@quorate/kernel';
import { ROOT } from '../calls/caller.js';
import { type FileSystem, onBehalfOf } from '../filesystem.js';
import type { Holder } from '../glock/glock.js';
import { GlockType, NondiskLock } from '../glock/glock-name.js';
import { addEntry, blocksForEntry, nameOf, removeEntry, replaceEntry, searchDirectory } from '../inode/directory.js';
import type { Inode } from '../inode/inode.js';
import { checkMayCreate, checkMayDelete, checkPermission, MAY } from '../inode/permission.js';
import { setChanged, setModified } from '../inode/times.js';
import { writeDinode } from '../inode/tree.js';
import type { Transaction } from '../log/log.js';
import { direntTypeOf, isDirectory, MODE } from '../ondisk/dinode.js';
import { checkLimits } from '../quota/quotas.js';
import { Refusal } from '../refusal.js';
import type { GlockedRgrp } from '../rgrp/glocked-rgrp.js';
import type { Grant } from '../rgrp/resource-groups.js';
import { checkEmpty, dropLink, holdIfLast } from './unlink.js';
import { lookup, type Parent } from './walk.js';

/** Everything that a rename has in its hands: `target` is what the new name means now. */
interface Move {
  readonly from: Parent;
  readonly to: Parent;
  readonly inode: Inode;
  readonly target: Inode | undefined;
}

/**
 * Moves a name, replacing what the new one meant (`gfs2_rename`). The caller has both directories in use.
 *
 * @throws {Refusal} ENOENT, EISDIR, ENOTDIR, ENOTEMPTY, EINVAL when a directory would become its own ancestor, ENOSPC, EACCES, EPERM
 */
export function* renameName(fs: FileSystem, from: Parent, to: Parent): Task {
  const { locks } = fs.core;
  const isAcross = from.dir !== to.dir;
  // Nobody else may change the shape of the tree while this one looks at ancestors.
  const shape = isAcross ? yield* locks.acquire(locks.get(GlockType.nondisk, NondiskLock.rename), 'EX') : undefined;
  try {
    while (!(yield* tryRename(fs, from, to)));
  } finally {
    if (shape !== undefined) locks.release(shape);
  }
}

/** False when the names mean other inodes by now, or the locks were not to be had all at once. */
function* tryRename(fs: FileSystem, from: Parent, to: Parent): Task<boolean> {
  const { inode } = yield* lookup(fs, from.dir, from.name);
  let target: Inode | undefined;
  try {
    target = yield* lookupTarget(fs, to);
    if (target === inode) return true;
    if (from.dir !== to.dir) yield* checkAncestors(fs, inode, to.dir);
    return yield* lockAndMove(fs, { from, to, inode, target });
  } finally {
    fs.inodes.put(inode);
    if (target !== undefined) fs.inodes.put(target);
  }
}

function* lookupTarget(fs: FileSystem, to: Parent): Task<Inode | undefined> {
  try {
    return (yield* lookup(fs, to.dir, to.name)).inode;
  } catch (error) {
    if (error instanceof Refusal && error.errno === 'ENOENT') return undefined;
    throw error;
  }
}

/** A directory must not be moved below itself (`gfs2_ok_to_move`). */
function* checkAncestors(fs: FileSystem, inode: Inode, into: Inode): Task {
  const { rootDir, masterDir } = fs.core.superblock!;
  const dots = nameOf('..');
  // The way up is nobody's path.
  const asRoot = onBehalfOf(fs, ROOT);
  let dir = into;
  dir.users += 1;
  try {
    for (;;) {
      if (dir === inode) throw new Refusal('EINVAL');
      if (dir.addr === rootDir.addr || dir.addr === masterDir.addr) return;
      const { inode: parent } = yield* lookup(asRoot, dir, dots);
      fs.inodes.put(dir);
      dir = parent;
    }
  } finally {
    fs.inodes.put(dir);
  }
}

function* lockAndMove(fs: FileSystem, move: Move): Task<boolean> {
  const { locks } = fs.core;
  const inodes = [...new Set([move.from.dir, move.to.dir, move.inode, move.target])].filter((i) => i !== undefined);
  // Any order of these locks could collide with another node's, so they are asked for together and given up together.
  const holdTimes = inodes.reduce((sum, { glock }) => sum + glock.holdTime, 0);
  const wanted = inodes.map(({ glock }) => ({ glock, state: 'EX' as const }));
  const holders = yield* locks.acquireAllBy(fs.core.now + 2 * holdTimes, wanted);
  if (holders === undefined) return false;
  try {
    for (const inode of inodes) if (inode.glock.isInstantiateNeeded) yield* fs.inodes.instantiate(inode);
    if (!(yield* isStillSo(fs, move))) return false;
    checkMove(fs, move);
    yield* moveLocked(fs, move, holders);
    return true;
  } finally {
    for (const holder of holders.reverse()) locks.release(holder);
  }
}

function* isStillSo(fs: FileSystem, { from, to, inode, target }: Move): Task<boolean> {
  if ((yield* searchDirectory(fs, from.dir, from.name))?.addr !== inode.addr) return false;
  return (yield* searchDirectory(fs, to.dir, to.name))?.addr === target?.addr;
}

function checkMove(fs: FileSystem, { from, to, inode, target }: Move): void {
  if (to.dir.di.nlink === 0) throw new Refusal('ENOENT');
  checkMayDelete(fs, from.dir, inode);
  if (target !== undefined) checkMayDelete(fs, to.dir, target);
  else checkMayCreate(fs, to.dir);
  // Its `..` is written.
  if (isDirectory(inode.di) && from.dir !== to.dir) checkPermission(fs, inode, MAY.WRITE);
  if (target !== undefined) {
    if (isDirectory(inode.di)) checkEmpty(target);
    else if (isDirectory(target.di)) throw new Refusal('EISDIR');
  } else if (isDirectory(inode.di) && to.dir.di.nlink === 0xffff_ffff) throw new Refusal('EMLINK');
}

function* moveLocked(fs: FileSystem, move: Move, holders: Holder[]): Task {
  const { to, target } = move;
  // In the place of a name that goes there is room for one of the same length.
  const entryBlocks = target === undefined ? yield* blocksForEntry(fs, to.dir, to.name) : 0;
  yield* checkLimits(fs, to.dir.di, entryBlocks);
  const rgrp = target === undefined ? undefined : yield* holdIfLast(fs, target, holders);
  yield* fs.rgrps.using(fs.rgrps.reservationOf(to.dir), entryBlocks, (grant) => {
    const blocks = 4 + 5 + 4 + 2 * entryBlocks + 3 + fs.rgrps.bitmapBlocks(grant, entryBlocks);
    return fs.core.log.transact(blocks, 0, (transaction) => moveEntry(fs, move, rgrp, transaction, grant));
  });
}

function* moveEntry(
  fs: FileSystem,
  { from, to, inode, target }: Move,
  rgrp: GlockedRgrp | undefined,
  transaction: Transaction,
  grant: Grant | undefined,
): Task {
  const isDir = isDirectory(inode.di);
  if (target !== undefined) {
    yield* removeEntry(fs, to.dir, transaction, to.name);
    if (isDirectory(target.di)) to.dir.di.nlink -= 1;
    yield* dropLink(fs, target, rgrp, transaction);
  }
  if (isDir && from.dir !== to.dir) {
    const parent = { formalIno: to.dir.di.formalIno, addr: to.dir.addr, type: direntTypeOf(MODE.DIRECTORY) };
    yield* replaceEntry(fs, inode, transaction, nameOf('..'), parent);
    from.dir.di.nlink -= 1;
    to.dir.di.nlink += 1;
  }
  yield* removeEntry(fs, from.dir, transaction, from.name);
  const { formalIno, addr, mode } = inode.di;
  const dirent = { formalIno, addr, type: direntTypeOf(mode), name: to.name.bytes };
  yield* addEntry({ fs, inode: to.dir, transaction, grant }, to.name, dirent);
  setChanged(fs, inode);
  yield* writeDinode(fs, inode, transaction);
  for (const dir of new Set([from.dir, to.dir])) {
    setModified(fs, dir);
    yield* writeDinode(fs, dir, transaction);
  }
}
