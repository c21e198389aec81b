import { type Task, utf8Bytes } from '@quorate/kernel';
import { isInGroup, isRoot } from '../calls/caller.js';
import type { FileSystem } from '../filesystem.js';
import { type Holder, HolderFlag } from '../glock/glock.js';
import { addEntry, blocksForEntry, type Name, searchDirectory } from '../inode/directory.js';
import type { Inode } from '../inode/inode.js';
import { checkMayCreate, S } from '../inode/permission.js';
import { setModified } from '../inode/times.js';
import { writeDinode, writeDinodeTo } from '../inode/tree.js';
import type { Transaction } from '../log/log.js';
import { DIF, type Dinode, direntTypeOf, isDirectory, isRegular, MODE, PAYLOAD } from '../ondisk/dinode.js';
import { direntHash, encodeDirent } from '../ondisk/dirent.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import type { Owner } from '../quota/quota-changes.js';
import { checkLimits } from '../quota/quotas.js';
import { Refusal } from '../refusal.js';
import type { Grant } from '../rgrp/resource-groups.js';
import { aclOf, type Inherited, inherit, writeInherited } from './inherit-acl.js';

const MAX_LINKS = 0xffff_ffff;

/** What is to be made. */
export interface NewInode {
  /** Type bits and permissions. */
  readonly mode: number;
  /** Where a symbolic link leads. */
  readonly target?: string;
  /** Of a device node. */
  readonly major?: number;
  readonly minor?: number;
}

/** The same with what follows from it. */
interface PlannedInode extends Omit<NewInode, 'target'>, Inherited {
  readonly target: Uint8Array | undefined;
}

/**
 * Makes an inode and its name, and gives it in use (`gfs2_create_inode`). The caller has `dir` in use.
 *
 * Differs from Linux, which allocates, writes and links the dinode in three transactions: here it is one, so that no
 * power cut leaves a dinode without a name.
 *
 * @throws {Refusal} EEXIST, ENOENT when the directory was removed, ENOTDIR, ENOSPC, EMLINK, EACCES, EPERM for a device node
 */
export function* createInode(fs: FileSystem, dir: Inode, name: Name, what: NewInode): Task<Inode> {
  const target = what.target === undefined ? undefined : utf8Bytes(what.target);
  if (target !== undefined && target.length >= fs.core.geometry.maxStuffed) throw new Refusal('ENAMETOOLONG');
  if (!isAllowed(fs, what)) throw new Refusal('EPERM');
  for (;;) {
    const made = yield* tryCreate(fs, dir, name, { ...what, target, acls: [] });
    if (typeof made !== 'number') return made;
    yield* fs.inodes.reclaimLocks(made);
  }
}

/** Gives the number of the block that was chosen when somebody still holds a lock of what was there before. */
function* tryCreate(fs: FileSystem, dir: Inode, name: Name, asked: PlannedInode): Task<Inode | number> {
  const holder = yield* fs.inodes.lock(dir, 'EX');
  try {
    yield* checkCreate(fs, dir, name, asked.mode);
    const what = { ...asked, ...(yield* inherit(fs, dir, asked.mode)) };
    const { mode } = what;
    const ownBlocks = what.acls.length === 0 ? 1 : 2;
    const entryBlocks = yield* blocksForEntry(fs, dir, name);
    yield* checkLimits(fs, ownerOf(fs, dir, mode), ownBlocks);
    yield* checkLimits(fs, dir.di, entryBlocks);
    yield* fs.formalNumbers.prepare();
    const isDir = isDirectory({ mode });
    const rs = fs.rgrps.reservationBelow(dir, isDir);
    // Directories at the top are spread over the device, with what will be in them.
    const skip = isDir && isTop(fs, dir) ? fs.rgrps.orlovSkip() : 0;
    const make = (grant: Grant | undefined): Task<Inode | number> => {
      const bitmaps = fs.rgrps.bitmapBlocks(grant, ownBlocks + entryBlocks);
      const blocks = 3 + ownBlocks + fs.formalNumbers.blocks + 2 * entryBlocks + 3 + bitmaps;
      return fs.core.log.transact(blocks, 1, (transaction) => makeInode(fs, dir, name, what, transaction, grant!));
    };
    return yield* fs.rgrps.using(rs, ownBlocks + entryBlocks, make, skip);
  } finally {
    fs.inodes.unlock(holder);
  }
}

/** Device nodes are root's. */
function isAllowed(fs: FileSystem, { mode }: NewInode): boolean {
  const type = mode & MODE.TYPE;
  return isRoot(fs.caller) || (type !== MODE.BLOCK && type !== MODE.CHARACTER);
}

/** In a directory with the set-group-id bit everything belongs to its group (`inode_init_owner`). */
function modeAndGroup({ caller }: FileSystem, { di }: Inode, mode: number): { mode: number; gid: number } {
  if ((di.mode & S.ISGID) === 0) return { mode, gid: caller.gid };
  if (isDirectory({ mode })) return { mode: mode | S.ISGID, gid: di.gid };
  const isGroupRun = (mode & (S.ISGID | S.IXGRP)) === (S.ISGID | S.IXGRP);
  const loses = isGroupRun && !isRoot(caller) && !isInGroup(caller, di.gid);
  return { mode: loses ? mode & ~S.ISGID : mode, gid: di.gid };
}

/** Whose a new inode below `dir` will be. */
function ownerOf(fs: FileSystem, dir: Inode, mode: number): Owner {
  return { uid: fs.caller.uid, gid: modeAndGroup(fs, dir, mode).gid, flags: dir.di.flags & DIF.SYSTEM };
}

function isTop(fs: FileSystem, dir: Inode): boolean {
  return dir.addr === fs.core.superblock!.rootDir.addr || (dir.di.flags & DIF.TOPDIR) !== 0;
}

function* checkCreate(fs: FileSystem, dir: Inode, name: Name, mode: number): Task {
  if (!isDirectory(dir.di)) throw new Refusal('ENOTDIR');
  if (dir.di.nlink === 0) throw new Refusal('ENOENT');
  if ((yield* searchDirectory(fs, dir, name)) !== undefined) throw new Refusal('EEXIST');
  checkMayCreate(fs, dir);
  if (dir.di.entries === MAX_LINKS) throw new Refusal('EFBIG');
  if (isDirectory({ mode }) && dir.di.nlink === MAX_LINKS) throw new Refusal('EMLINK');
}

function* makeInode(
  fs: FileSystem,
  dir: Inode,
  name: Name,
  what: PlannedInode,
  transaction: Transaction,
  grant: Grant,
): Task<Inode | number> {
  const owner = ownerOf(fs, dir, what.mode);
  const { block, generation } = fs.rgrps.allocDinode(transaction, grant, owner);
  const formalIno = fs.formalNumbers.take(generation, transaction);
  const locked = yield* lockNew(fs, block, formalIno);
  if (locked === undefined) {
    fs.rgrps.giveBackDinode(transaction, grant.rgrp, block, owner);
    return block;
  }
  const { inode, holder } = locked;
  inode.reservation = grant.rs;
  try {
    inode.dinode = newDinode(fs, dir, inode, what, generation);
    writeInherited({ fs, inode, transaction, grant }, what.acls);
    inode.acl = aclOf(what.acls);
    writeNewDinode(fs, dir, inode, what.target, transaction);
    yield* link(fs, dir, name, inode, transaction, grant);
  } finally {
    fs.inodes.unlock(holder);
  }
  return inode;
}

/**
 * Takes both locks of a new inode without waiting for other nodes: this transaction holds up the log, and what they wait for
 * may be this node's resource group.
 */
function* lockNew(fs: FileSystem, addr: number, formalIno: number): Task<{ inode: Inode; holder: Holder } | undefined> {
  try {
    return yield* fs.inodes.create(addr, formalIno, HolderFlag.TRY);
  } catch (error) {
    if (error instanceof Refusal && error.errno === 'EAGAIN') return undefined;
    throw error;
  }
}

function newDinode(fs: FileSystem, dir: Inode, inode: Inode, what: PlannedInode, generation: number): Dinode {
  const { sec, nsec } = fs.core.wall();
  const { target, major = 0, minor = 0 } = what;
  const { mode, gid } = modeAndGroup(fs, dir, what.mode);
  const isDir = isDirectory({ mode });
  const inherited = dir.di.flags & DIF.INHERIT_JDATA;
  const flags = isDir ? DIF.JDATA | inherited : inherited !== 0 && isRegular({ mode }) ? DIF.JDATA : 0;
  return {
    formalIno: inode.formalIno,
    addr: inode.addr,
    mode,
    uid: fs.caller.uid,
    gid,
    nlink: isDir ? 2 : 1,
    size: isDir ? fs.core.geometry.maxStuffed : (target?.length ?? 0),
    blocks: 1,
    atime: sec,
    mtime: sec,
    ctime: sec,
    major,
    minor,
    goalMeta: inode.addr,
    goalData: inode.addr,
    generation,
    flags: (flags | (dir.di.flags & DIF.SYSTEM)) >>> 0,
    payloadFormat: isDir ? PAYLOAD.DIRENT : 0,
    height: 0,
    depth: 0,
    entries: isDir ? 2 : 0,
    eattr: 0,
    atimeNsec: nsec,
    mtimeNsec: nsec,
    ctimeNsec: nsec,
  };
}

function writeNewDinode(
  fs: FileSystem,
  dir: Inode,
  inode: Inode,
  target: Uint8Array | undefined,
  transaction: Transaction,
): void {
  const buffer = fs.core.cache.create(inode.glock.space, inode.addr);
  writeDinodeTo(buffer, fs, inode, transaction);
  if (target !== undefined) buffer.data.set(target, DINODE_BYTES);
  if (isDirectory(inode.di)) writeDots(fs.core.geometry.blockSize, dir, inode, buffer.data);
}

/** `.` and `..`; the second record takes the rest of the block. */
function writeDots(blockSize: number, dir: Inode, inode: Inode, block: Uint8Array): void {
  const dot = Uint8Array.of(0x2e);
  const dots = Uint8Array.of(0x2e, 0x2e);
  const type = direntTypeOf(MODE.DIRECTORY);
  const self = { formalIno: inode.di.formalIno, addr: inode.addr, type, name: dot };
  const parent = { formalIno: dir.di.formalIno, addr: dir.addr, type, name: dots };
  encodeDirent(self, direntHash(dot), 48, block, DINODE_BYTES);
  encodeDirent(parent, direntHash(dots), blockSize - DINODE_BYTES - 48, block, DINODE_BYTES + 48);
}

function* link(fs: FileSystem, dir: Inode, name: Name, inode: Inode, transaction: Transaction, grant: Grant): Task {
  const { formalIno, addr, mode } = inode.di;
  const dirent = { formalIno, addr, type: direntTypeOf(mode), name: name.bytes };
  yield* addEntry({ fs, inode: dir, transaction, grant }, name, dirent);
  if (isDirectory(inode.di)) dir.di.nlink += 1;
  setModified(fs, dir);
  yield* writeDinode(fs, dir, transaction);
}
