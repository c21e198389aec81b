import { SECOND, setU64, type Task, viewOf } from '@quorate/kernel';
import { BLKST } from '../bitmap.js';
import type { FileSystem } from '../filesystem.js';
import { type Holder, HolderFlag } from '../glock/glock.js';
import { MODE } from '../ondisk/dinode.js';
import { GFS2_MAGIC } from '../ondisk/meta-header.js';
import { Refusal } from '../refusal.js';
import type { GlockedRgrp } from '../rgrp/glocked-rgrp.js';
import { waitUntil } from '../scheduler.js';
import { isExhash } from './directory.js';
import { chainBlocks, distinct, readTable, writeTable } from './exhash.js';
import { freeMetaBlocks } from './free-blocks.js';
import type { Inode } from './inode.js';
import { punch } from './punch.js';
import { freeXattrs } from './xattr.js';

/** How long a deletion waits for other nodes that have the inode open, and after which time one is looked at again. */
const IOPEN_WAIT = 5 * SECOND;

/** Takes an unused inode out of memory, and off the disk if it has no name any more (`gfs2_evict_inode`). */
export function* evictInode(fs: FileSystem, inode: Inode): Task {
  if (fs.core.isReadOnly || fs.core.isWithdrawn) return;
  // Somebody else deletes it and waits for us to let go.
  if (inode.isDropped) return verifyDeleteLater(fs, inode);
  if (inode.dinode?.nlink !== 0 && !inode.iopenGlock.isDemote) return;
  yield* deleteIfUnlinked(fs, inode);
}

/** Looks 5 s later whether the other node has succeeded, and deletes the inode itself if not (`gfs2_queue_verify_delete`). */
function verifyDeleteLater(fs: FileSystem, { addr, formalIno }: Inode): void {
  fs.core.scheduler.start(verifyDelete(fs, addr, formalIno));
}

function* verifyDelete(fs: FileSystem, addr: number, formalIno: number): Task {
  if (yield* waitUntil(fs.closing, fs.core.now + IOPEN_WAIT)) return;
  yield* reclaimInode(fs, addr, formalIno);
}

/**
 * Takes an inode that is unlinked in the bitmap into use and out again, which deletes it if nobody has it open
 * (`gfs2_lookup_by_inum`).
 */
export function* reclaimInode(fs: FileSystem, addr: number, formalIno: number): Task {
  yield* fs.rgrps.update();
  const rgrp = fs.rgrps.find(addr);
  if (rgrp === undefined || !(yield* isUnlinked(fs, rgrp, addr))) return;
  const inode = yield* fs.inodes.hold(addr, formalIno);
  try {
    fs.inodes.unlock(yield* fs.inodes.lock(inode, 'SH'));
  } finally {
    fs.inodes.put(inode);
  }
}

function* isUnlinked(fs: FileSystem, rgrp: GlockedRgrp, addr: number): Task<boolean> {
  const holder = yield* fs.rgrps.holdShared(rgrp);
  try {
    return rgrp.stateOf(addr) === BLKST.UNLINKED;
  } finally {
    fs.core.locks.release(holder);
  }
}

function* deleteIfUnlinked(fs: FileSystem, inode: Inode): Task {
  const { locks } = fs.core;
  const holder = yield* locks.acquire(inode.glock, 'EX', HolderFlag.SKIP);
  let iopen: Holder | undefined;
  try {
    yield* fs.rgrps.update();
    const rgrp = fs.rgrps.find(inode.addr);
    if (rgrp === undefined || !(yield* isUnlinked(fs, rgrp, inode.addr))) return;
    if (inode.glock.isInstantiateNeeded) yield* fs.inodes.instantiate(inode);
    if (inode.di.nlink !== 0) return;
    iopen = yield* upgradeIopen(fs, inode);
    if (iopen !== undefined) yield* deleteInode(fs, inode, rgrp);
  } finally {
    if (iopen !== undefined) locks.release(iopen);
    locks.release(holder);
  }
}

/**
 * Makes sure that no other node has the inode open (`gfs2_upgrade_iopen_glock`): its iopen glock EX, or undefined when it has
 * not been given up in time. Then whoever has it open deletes it.
 */
function* upgradeIopen(fs: FileSystem, inode: Inode): Task<Holder | undefined> {
  const { locks } = fs.core;
  const { iopenGlock } = inode;
  if (inode.iopen !== undefined) locks.release(inode.iopen);
  inode.iopen = undefined;
  locks.input({ kind: 'demote', glock: iopenGlock, state: 'UN' });
  const first = yield* locks.tryAcquire(iopenGlock, 'EX', HolderFlag.TRY_1CB | HolderFlag.NOCACHE);
  if (first !== undefined) return first;
  const holder = locks.queue(iopenGlock, 'EX', HolderFlag.ASYNC | HolderFlag.NOCACHE);
  inode.upgrading = holder;
  let isHeld = false;
  try {
    // A node that has it open asks for the inode glock to tell us that we wait in vain.
    const isWanted = (): boolean => inode.glock.isDemote || inode.glock.isPendingDemote;
    isHeld = yield* locks.awaitHolder(holder, fs.core.now + IOPEN_WAIT, isWanted);
    return isHeld ? holder : undefined;
  } finally {
    inode.upgrading = undefined;
    if (!isHeld) locks.release(holder);
  }
}

/** Frees all that belongs to the inode, its dinode last (`evict_unlinked_inode`). */
function* deleteInode(fs: FileSystem, inode: Inode, rgrp: GlockedRgrp): Task {
  if (isExhash(inode)) yield* freeLeaves(fs, inode);
  yield* freeXattrs(fs, inode);
  if (inode.di.height > 0) yield* punch(fs, inode, 0);
  if (inode.di.blocks !== 1) fs.core.inconsistent(`inode ${inode.addr} still has ${inode.di.blocks} blocks`);
  const holder = yield* fs.rgrps.hold(rgrp);
  try {
    yield* fs.core.log.transact(4, 1, function* (transaction) {
      fs.rgrps.freeDinode(transaction, rgrp, inode);
      fs.core.log.wipe(inode.addr, 1);
    });
  } finally {
    fs.core.locks.release(holder);
  }
  rememberDeleted(inode);
}

/** Tells other nodes through the lock's value that this incarnation is gone (`gfs2_inode_remember_delete`). */
function rememberDeleted({ glock, formalIno }: Inode): void {
  if (glock.lvb === undefined) return;
  const view = viewOf(glock.lvb);
  view.setUint32(0, GFS2_MAGIC);
  setU64(view, 8, formalIno);
}

/**
 * Frees the leaves of an exhash directory, one chain after the other; with the last one it becomes a file, so that after a
 * crash nobody frees them again (`gfs2_dir_exhash_dealloc`).
 */
function* freeLeaves(fs: FileSystem, dir: Inode): Task {
  const table = yield* readTable(fs, dir);
  const firsts = distinct(table);
  for (const [i, first] of firsts.entries()) {
    const chain = yield* chainBlocks(fs, dir, first);
    const tableBlocks = Math.ceil((8 * table.length) / fs.core.geometry.jbsize) + 1;
    yield* freeMetaBlocks(fs, dir, chain, tableBlocks, function* (transaction) {
      yield* writeTable(fs, dir, transaction, table.indexOf(first), table.lastIndexOf(first) + 1, 0);
      if (i === firsts.length - 1) dir.di.mode = MODE.FILE;
    });
  }
}

/** The iopen glock of an inode in memory is wanted: another node deletes it (`iopen_go_callback`). */
export function onIopenWanted(fs: FileSystem, inode: Inode): void {
  if (inode.state !== 'ready') return;
  if (inode.users === 0) {
    inode.isDropped = true;
    fs.inodes.startEvict(inode);
  } else fs.core.scheduler.start(pokeInode(fs, inode));
}

/** Asks for the inode glock, so that the other node stops waiting: this one deletes it at its own last close. */
function* pokeInode(fs: FileSystem, inode: Inode): Task {
  try {
    const holder = yield* fs.core.locks.tryAcquire(inode.glock, 'SH', HolderFlag.TRY_1CB | HolderFlag.SKIP);
    if (holder !== undefined) fs.core.locks.release(holder);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}
