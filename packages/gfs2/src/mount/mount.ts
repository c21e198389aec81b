import type { Task } from '@quorate/kernel';
import type { Core } from '../core.js';
import type { FileSystem, SystemFiles } from '../filesystem.js';
import { type GlockState, type Holder, HolderFlag } from '../glock/glock.js';
import { GlockType, type GlockType as GlockTypeNumber, NondiskLock } from '../glock/glock-name.js';
import { type Entry, nameOf, searchDirectory } from '../inode/directory.js';
import type { Inode } from '../inode/inode.js';
import { logDaemon } from '../log/log-daemon.js';
import { findLogHead } from '../log/log-head.js';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { decodeSuperblock, MULTIHOST_FORMAT } from '../ondisk/superblock.js';
import { quotaDaemon } from '../quota/quota-daemon.js';
import { openQuotas } from '../quota/quotas.js';
import { type Journal, mapJournal } from '../recovery/journals.js';
import { recoverJournal } from '../recovery/recover-journal.js';
import { type FsErrno, Refusal } from '../refusal.js';
import { readRindex } from '../rgrp/read-rindex.js';
import { statfsDaemon } from './statfs-daemon.js';

/** Oldest and newest format that can be mounted (`sb_fs_format`). */
const FORMATS = [1801, 1802] as const;

/** Why a mount was refused, with the words of the kernel's log. */
export class MountRefusal {
  readonly errno: FsErrno;
  readonly text: string;

  constructor(errno: FsErrno, text: string) {
    this.errno = errno;
    this.text = text;
  }
}

/** What a mount has taken and gives back when it ends. */
export interface MountHold {
  readonly holders: Holder[];
  readonly inodes: Inode[];
  readonly journals: Journal[];
}

/** What the steps of a mount share: they fill in `fs.system`. */
export interface MountWork {
  readonly fs: FileSystem & { system: SystemFiles };
  readonly hold: MountHold;
  readonly isFirst: boolean;
  /** The first mounter has replayed all journals. */
  readonly firstDone: () => void;
}

type FindWork = Pick<MountWork, 'hold'> & { readonly fs: FileSystem };

/** Requests of a mount are granted while locks are blocked: what they protect does not change. */
const NOEXP = HolderFlag.NOEXP;

/**
 * Mounts the file system, in the order of Linux (`gfs2_fill_super`).
 *
 * @throws {MountRefusal} @throws {Refusal} EIO
 */
export function* mountFileSystem(work: MountWork): Task {
  const { core } = work.fs;
  const mountLock = yield* acquire(core, GlockType.nondisk, NondiskLock.mount, 'EX', NOEXP | HolderFlag.NOCACHE);
  try {
    yield* keep(work, GlockType.nondisk, NondiskLock.live, 'SH', NOEXP | HolderFlag.EXACT);
    yield* readSuperblock(core);
    yield* findSystemFiles(work);
    yield* recoverJournals(work);
    yield* openRindex(work);
    yield* keep(work, GlockType.nondisk, NondiskLock.freeze, 'SH', NOEXP | HolderFlag.EXACT);
    if (!core.isReadOnly) yield* makeWritable(work);
  } finally {
    core.locks.release(mountLock);
  }
}

function* acquire(core: Core, type: GlockTypeNumber, number: number, state: GlockState, flags: number): Task<Holder> {
  return yield* core.locks.acquire(core.locks.get(type, number), state, flags);
}

/** Takes a glock for as long as the mount lasts. */
function* keep(work: MountWork, type: GlockTypeNumber, number: number, state: GlockState, flags: number): Task {
  const holder = yield* acquire(work.fs.core, type, number, state, flags);
  holder.glock.references += 1;
  work.hold.holders.push(holder);
}

/** Takes an inode's glock for as long as the mount lasts. */
function* keepInode(work: MountWork, inode: Inode, state: GlockState, flags: number): Task<Holder> {
  const holder = yield* work.fs.inodes.lock(inode, state, flags);
  holder.glock.references += 1;
  work.hold.holders.push(holder);
  return holder;
}

function* readSuperblock(core: Core): Task {
  const holder = yield* acquire(core, GlockType.meta, 0, 'SH', NOEXP | HolderFlag.NOCACHE);
  try {
    const superblock = decodeSuperblock(yield* core.disk.readBlocks(core.geometry.superblock, 1));
    if (superblock === undefined || superblock.multihostFormat !== MULTIHOST_FORMAT) {
      throw new MountRefusal('EINVAL', 'not a GFS2 filesystem');
    }
    if (superblock.blockSize !== core.geometry.blockSize) {
      throw new MountRefusal('EINVAL', `block size is ${superblock.blockSize}, not ${core.geometry.blockSize}`);
    }
    if (superblock.fsFormat < FORMATS[0] || superblock.fsFormat > FORMATS[1]) {
      throw new MountRefusal('EINVAL', `fs format ${superblock.fsFormat} is not supported`);
    }
    core.superblock = superblock;
  } finally {
    core.locks.release(holder);
  }
  const table = core.options.lockTable ?? core.superblock.lockTable;
  core.fsName = table;
  const isModern = core.config.era === 'modern';
  core.print('info', `Trying to join cluster "${core.config.protocol}", "${table}"`);
  const format = `Now mounting FS${isModern ? ` (format ${core.superblock.fsFormat})` : ''}...`;
  core.print('info', `${core.config.protocol === 'lock_dlm' ? 'Joined cluster. ' : ''}${format}`);
  core.fsName = `${table}.${core.jid}`;
}

/** Takes a file below a system directory into use for the mount; undefined if there is none of that name. */
function* findFile(work: FindWork, dir: Inode, text: string): Task<Inode | undefined> {
  const { fs, hold } = work;
  const holder = yield* fs.inodes.lock(dir, 'SH', NOEXP);
  let entry: Entry | undefined;
  try {
    entry = yield* searchDirectory(fs, dir, nameOf(text));
  } finally {
    fs.inodes.unlock(holder);
  }
  if (entry === undefined) return undefined;
  const inode = yield* fs.inodes.hold(entry.addr, entry.formalIno, NOEXP);
  hold.inodes.push(inode);
  return inode;
}

function* needFile(work: FindWork, dir: Inode, text: string): Task<Inode> {
  const inode = yield* findFile(work, dir, text);
  if (inode === undefined) throw new MountRefusal('ENOENT', `can't find system file ${text}`);
  return inode;
}

function* findSystemFiles(work: MountWork): Task {
  const { fs, hold } = work;
  const { core } = fs;
  const { masterDir, rootDir } = core.superblock!;
  const master = yield* fs.inodes.hold(masterDir.addr, masterDir.formalIno, NOEXP);
  hold.inodes.push(master, yield* fs.inodes.hold(rootDir.addr, rootDir.formalIno, NOEXP));
  const jindex = yield* needFile(work, master, 'jindex');
  const perNode = yield* needFile(work, master, 'per_node');
  const statfsChanges = new Map<number, Inode>();
  yield* findJournals(work, jindex, perNode, statfsChanges);
  if (core.jid >= hold.journals.length) {
    core.print('err', `can't mount journal #${core.jid}`);
    const last = hold.journals.length - 1;
    throw new MountRefusal('EUSERS', `there are only ${last + 1} journals (0 - ${last})`);
  }
  fs.system = {
    jindex,
    perNode,
    statfs: yield* needFile(work, master, 'statfs'),
    statfsChanges,
    rindex: yield* needFile(work, master, 'rindex'),
    inum: yield* needFile(work, master, 'inum'),
    inumRange: yield* needFile(work, perNode, `inum_range${core.jid}`),
    quota: yield* needFile(work, master, 'quota'),
    quotaChange: yield* needFile(work, perNode, `quota_change${core.jid}`),
  };
}

/** Takes the journals into use that are not known yet (`gfs2_jindex_hold`), with what belongs to them. */
function* findJournals(work: FindWork, jindex: Inode, perNode: Inode, statfsChanges: Map<number, Inode>): Task {
  const { journals } = work.hold;
  for (;;) {
    const jid = journals.length;
    const inode = yield* findFile(work, jindex, `journal${jid}`);
    if (inode === undefined) return;
    statfsChanges.set(jid, yield* needFile(work, perNode, `statfs_change${jid}`));
    journals.push({ jid, inode });
  }
}

/** Looks for journals that were added since the mount. Differs from Linux, which never replays those. */
export function* findNewJournals(fs: FileSystem, hold: MountHold): Task {
  const { jindex, perNode, statfsChanges } = fs.system;
  yield* findJournals({ fs, hold }, jindex, perNode, statfsChanges);
}

function* recoverJournals(work: MountWork): Task {
  const { fs, hold, isFirst } = work;
  const { core } = fs;
  yield* keep(work, GlockType.journal, core.jid, 'EX', NOEXP | HolderFlag.NOCACHE);
  const own = hold.journals[core.jid]!;
  yield* keepInode(work, own.inode, 'SH', NOEXP | HolderFlag.EXACT | HolderFlag.NOCACHE);
  for (const journal of isFirst ? hold.journals : [own]) {
    const result = yield* recoverJournal(fs, journal);
    if (result !== 'done') throw new MountRefusal('EIO', `error recovering journal ${journal.jid}`);
  }
  // What was read on the way here may be older than what the journals held: new journals, for instance.
  for (const { glock } of hold.inodes) {
    core.cache.invalidate(glock.space);
    glock.isInstantiateNeeded = true;
  }
  yield* findNewJournals(fs, hold);
  if (!isFirst) return;
  core.print('info', 'first mount done, others may mount');
  work.firstDone();
}

function* openRindex({ fs, hold }: MountWork): Task {
  const inode = fs.system.rindex;
  const holder = yield* fs.inodes.lock(inode, 'SH', NOEXP);
  try {
    const entries = yield* readRindex(fs, 0);
    if (entries === undefined) throw new MountRefusal('EIO', `rindex has ${inode.di.size} bytes`);
    fs.rgrps.setIndex(entries, hold.journals.length);
  } finally {
    fs.inodes.unlock(holder);
  }
}

function* makeWritable(work: MountWork): Task {
  const { fs, hold } = work;
  const { core } = fs;
  const flags = NOEXP | HolderFlag.NOCACHE;
  const local = fs.system.statfsChanges.get(core.jid)!;
  const holder = yield* keepInode(work, local, 'EX', flags);
  yield* fs.statfs.open({ master: fs.system.statfs, local, holder });
  yield* keepInode(work, fs.system.quotaChange, 'EX', flags);
  if (core.config.era === 'rhel6') {
    yield* keepInode(work, fs.system.inumRange, 'EX', flags);
    yield* fs.formalNumbers.open(fs.system);
  }
  const map = yield* mapJournal(fs, hold.journals[core.jid]!);
  const head = yield* findLogHead(core.disk, map, core.headerCodec);
  if (head === undefined || (head.flags & LOG_HEAD.UNMOUNT) === 0)
    throw new MountRefusal('EIO', 'the journal is not clean');
  core.log.open(map, head);
  core.scheduler.start(logDaemon(core.log));
  core.scheduler.start(statfsDaemon(fs));
  if (core.options.quota === 'off') return;
  yield* openQuotas(fs);
  core.scheduler.start(quotaDaemon(fs));
}

/** Gives back what the mount holds, the last taken first. */
export function releaseHold(fs: FileSystem, hold: MountHold): void {
  for (const holder of hold.holders.splice(0).reverse()) {
    holder.glock.references -= 1;
    fs.core.locks.release(holder);
  }
  hold.journals.length = 0;
  for (const inode of hold.inodes.splice(0).reverse()) fs.inodes.put(inode);
}

/** Whether a mount ended because the file system or the disk would not have it. */
export function asMountRefusal(error: unknown): MountRefusal | undefined {
  if (error instanceof MountRefusal) return error;
  return error instanceof Refusal ? new MountRefusal(error.errno, `mount failed: ${error.errno}`) : undefined;
}
