import type { Task } from '@quorate/kernel';
import type { Core } from '../core.js';
import type { Holder } from '../glock/glock.js';
import { HolderFlag } from '../glock/glock.js';
import type { Inode } from '../inode/inode.js';
import type { Inodes } from '../inode/inodes.js';
import type { Transaction } from '../log/log.js';
import { decodeStatfsChange, encodeStatfsChange, type StatfsChange } from '../ondisk/accounting.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';

/** The system files that hold the figures: the master copy, and this node's changes to it. */
interface StatfsFiles {
  readonly master: Inode;
  readonly local: Inode;
  /** EX on the local one for as long as the file system is mounted. */
  readonly holder: Holder;
}

/**
 * How many blocks there are, are free and are dinodes. Each node counts its own changes and adds them to the master file
 * now and then; what `df` shows is the master as last read, plus those changes.
 *
 * Source: Linux fs/gfs2/super.c, `gfs2_statfs_change`, `gfs2_statfs_sync`.
 */
export class Statfs {
  readonly #core: Core;
  readonly #inodes: Inodes;
  #files: StatfsFiles | undefined;
  #master: StatfsChange = { total: 0, free: 0, dinodes: 0 };
  #local: StatfsChange = { total: 0, free: 0, dinodes: 0 };

  constructor(core: Core, inodes: Inodes) {
    this.#core = core;
    this.#inodes = inodes;
  }

  /** Changes that are not in the master file yet. */
  get local(): Readonly<StatfsChange> {
    return this.#local;
  }

  get localAddr(): number {
    return this.#files?.local.addr ?? 0;
  }

  get isInUse(): boolean {
    return this.#files !== undefined;
  }

  /** What `statfs` shows (`gfs2_statfs_i`), never below 0. */
  get figures(): StatfsChange {
    const free = Math.max(0, this.#master.free + this.#local.free);
    return {
      total: this.#master.total + this.#local.total,
      free: Math.min(free, this.#master.total + this.#local.total),
      dinodes: Math.max(0, this.#master.dinodes + this.#local.dinodes),
    };
  }

  /** Reads both files (`gfs2_statfs_init`): what a dead node has left in the local one counts as this node's. */
  *open(files: StatfsFiles): Task {
    this.#files = files;
    const holder = yield* this.#inodes.lock(files.master, 'EX', HolderFlag.NOCACHE | HolderFlag.NOEXP);
    try {
      const master = yield* this.#inodes.dinodeBuffer(files.master);
      this.#master = decodeStatfsChange(master.data, DINODE_BYTES);
      const local = yield* this.#inodes.dinodeBuffer(files.local);
      local.isKept = true;
      this.#local = decodeStatfsChange(local.data, DINODE_BYTES);
    } finally {
      this.#inodes.unlock(holder);
    }
  }

  /** Counts a change, in the transaction that makes it. */
  change(transaction: Transaction, total: number, free: number, dinodes: number): void {
    this.#local.total += total;
    this.#local.free += free;
    this.#local.dinodes += dinodes;
    const buffer = this.#files!.local.buffer!;
    this.#core.log.addMeta(transaction, buffer);
    encodeStatfsChange(this.#local, buffer.data, DINODE_BYTES, buffer.view);
  }

  /** Whether the changes make up so much of the master's free blocks that they should be synced (`statfs_percent=`). */
  get isSyncRequired(): boolean {
    const { statfsPercent } = this.#core.options;
    return statfsPercent > 0 && Math.abs(this.#local.free) * 100 >= statfsPercent * this.#master.free;
  }

  /** Adds this node's changes to the master file (`gfs2_statfs_sync`). */
  *sync(): Task {
    const holder = yield* this.#lockMaster();
    try {
      yield* this.#addToMaster(this.#files!.local);
    } finally {
      this.#inodes.unlock(holder);
    }
  }

  /**
   * The same at the end of a mount, and for the changes that dead nodes have left behind where nobody has mounted their journal
   * since: who mounts it takes them for its own, and holds its file.
   *
   * Neither in RHEL 6, which leaves them there for fsck.gfs2 to find, nor in Linux since 5.10, which adds them to the master file
   * when it replays the journal (`recover_local_statfs`): the replay of another journal may then put an older copy over it.
   */
  *syncAll(locals: Iterable<Inode>): Task {
    const { locks } = this.#core;
    const holder = yield* this.#lockMaster();
    try {
      yield* this.#addToMaster(this.#files!.local);
      for (const local of locals) {
        if (local === this.#files!.local) continue;
        const flags = HolderFlag.TRY | HolderFlag.NOCACHE | HolderFlag.SKIP;
        const localHolder = yield* locks.tryAcquire(local.glock, 'EX', flags);
        if (localHolder === undefined) continue;
        try {
          yield* this.#addToMaster(local);
        } finally {
          locks.release(localHolder);
        }
      }
    } finally {
      this.#inodes.unlock(holder);
    }
  }

  *#lockMaster(): Task<Holder> {
    return yield* this.#inodes.lock(this.#files!.master, 'EX', HolderFlag.NOCACHE);
  }

  /** Moves what a `statfs_change` file says to the master file. The caller holds both. */
  *#addToMaster(local: Inode): Task {
    const { master } = this.#files!;
    this.#master = decodeStatfsChange((yield* this.#inodes.dinodeBuffer(master)).data, DINODE_BYTES);
    const { total, free, dinodes } = decodeStatfsChange((yield* this.#inodes.dinodeBuffer(local)).data, DINODE_BYTES);
    if (total === 0 && free === 0 && dinodes === 0) return;
    yield* this.#core.log.transact(2, 0, (transaction) => this.#merge(transaction, master, local));
  }

  *#merge(transaction: Transaction, master: Inode, local: Inode): Task {
    const { log } = this.#core;
    const masterBuffer = yield* this.#inodes.dinodeBuffer(master);
    const localBuffer = yield* this.#inodes.dinodeBuffer(local);
    log.addMeta(transaction, masterBuffer);
    log.addMeta(transaction, localBuffer);
    const change = decodeStatfsChange(localBuffer.data, DINODE_BYTES);
    this.#master.total += change.total;
    this.#master.free += change.free;
    this.#master.dinodes += change.dinodes;
    const nothing = { total: 0, free: 0, dinodes: 0 };
    if (local === this.#files!.local) this.#local = nothing;
    encodeStatfsChange(this.#master, masterBuffer.data, DINODE_BYTES);
    encodeStatfsChange(nothing, localBuffer.data, DINODE_BYTES);
  }
}
