import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import type { Holder } from '../glock/glock.js';
import { type Name, removeEntry, searchDirectory } from '../inode/directory.js';
import type { Inode } from '../inode/inode.js';
import { checkMayDelete } from '../inode/permission.js';
import { setChanged, setModified } from '../inode/times.js';
import { writeDinode } from '../inode/tree.js';
import type { Transaction } from '../log/log.js';
import { isDirectory } from '../ondisk/dinode.js';
import { Refusal } from '../refusal.js';
import type { GlockedRgrp } from '../rgrp/glocked-rgrp.js';
import { lookup } from './walk.js';

/** Both dinodes, a leaf and its neighbours, header and bitmap of a resource group. */
const RES_UNLINK = 2 + 3 + 3;

/** Which call it is: `unlink` takes no directories, `rmdir` nothing else. */
export type UnlinkKind = 'unlink' | 'rmdir';

/**
 * Removes a name, and with the last one the inode as soon as nobody on any node has it open (`gfs2_unlink`).
 *
 * @throws {Refusal} ENOENT, EISDIR, ENOTDIR, ENOTEMPTY, EACCES, EPERM
 */
export function* unlinkName(fs: FileSystem, dir: Inode, name: Name, kind: UnlinkKind): Task {
  for (;;) {
    const { inode } = yield* lookup(fs, dir, name);
    try {
      if (yield* unlinkInode(fs, dir, name, inode, kind)) return;
    } finally {
      fs.inodes.put(inode);
    }
  }
}

/** False when the name means another inode by now. */
function* unlinkInode(fs: FileSystem, dir: Inode, name: Name, inode: Inode, kind: UnlinkKind): Task<boolean> {
  const holders: Holder[] = [];
  try {
    holders.push(yield* fs.inodes.lock(dir, 'EX'));
    if ((yield* searchDirectory(fs, dir, name))?.addr !== inode.addr) return false;
    holders.push(yield* fs.inodes.lock(inode, 'EX'));
    checkMayDelete(fs, dir, inode);
    checkUnlink(inode, kind);
    const rgrp = yield* holdIfLast(fs, inode, holders);
    yield* fs.core.log.transact(RES_UNLINK, 0, function* (transaction) {
      yield* removeEntry(fs, dir, transaction, name);
      if (kind === 'rmdir') dir.di.nlink -= 1;
      setModified(fs, dir);
      yield* writeDinode(fs, dir, transaction);
      yield* dropLink(fs, inode, rgrp, transaction);
    });
    return true;
  } finally {
    for (const holder of holders.reverse()) fs.core.locks.release(holder);
  }
}

function checkUnlink(inode: Inode, kind: UnlinkKind): void {
  if (kind === 'unlink') {
    if (isDirectory(inode.di)) throw new Refusal('EISDIR');
  } else checkEmpty(inode);
}

/** @throws {Refusal} ENOTDIR, ENOTEMPTY */
export function checkEmpty(inode: Inode): void {
  if (!isDirectory(inode.di)) throw new Refusal('ENOTDIR');
  if (inode.di.entries > 2 || inode.di.nlink > 2) throw new Refusal('ENOTEMPTY');
}

/** The inode's resource group, held EX, when the next unlink takes its last name. */
export function* holdIfLast(fs: FileSystem, inode: Inode, holders: Holder[]): Task<GlockedRgrp | undefined> {
  if (!isDirectory(inode.di) && inode.di.nlink > 1) return undefined;
  yield* fs.rgrps.update();
  const rgrp = fs.rgrps.find(inode.addr);
  if (rgrp === undefined) return fs.core.inconsistent(`dinode ${inode.addr} is in no resource group`);
  holders.push(yield* fs.rgrps.hold(rgrp));
  return rgrp;
}

/** One name less; without any the dinode is unlinked in the bitmap too, so that it is found again after a crash. */
export function* dropLink(fs: FileSystem, inode: Inode, rgrp: GlockedRgrp | undefined, transaction: Transaction): Task {
  inode.di.nlink = isDirectory(inode.di) ? 0 : inode.di.nlink - 1;
  setChanged(fs, inode);
  if (rgrp !== undefined) fs.rgrps.unlinkDinode(transaction, rgrp, inode.addr);
  yield* writeDinode(fs, inode, transaction);
}
