import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { type Holder, HolderFlag } from '../glock/glock.js';
import { GlockType, NondiskLock } from '../glock/glock-name.js';
import { findLogHead } from '../log/log-head.js';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { mapJournal } from '../recovery/journals.js';
import { Refusal } from '../refusal.js';
import { Signal, wait } from '../scheduler.js';
import type { MountHold } from './mount.js';

/**
 * Stops and resumes changes on all nodes (`gfs2_freeze_super`, `gfs2_freeze_func`). Every mount holds the freeze glock shared. Who
 * freezes takes it exclusive; the others then end what they are at, close their journals and give it up, and have it
 * again when it is over, also when the node that froze has died.
 *
 * Calls that change something wait before they take any lock, so reads go on. What deletes in the background waits at its
 * transaction.
 */
export class Freezer {
  readonly #fs: FileSystem;
  readonly #hold: MountHold;
  #state: 'thawed' | 'frozen-here' | 'frozen-elsewhere' = 'thawed';
  /** Calls under way that change something. */
  #writers = 0;
  readonly #idle = new Signal();
  readonly #thawed = new Signal();

  constructor(fs: FileSystem, hold: MountHold) {
    this.#fs = fs;
    this.#hold = hold;
  }

  get isFrozen(): boolean {
    return this.#state !== 'thawed';
  }

  /** A call that changes something begins (`sb_start_write`). */
  *enter(): Task {
    while (this.isFrozen) yield* wait(this.#thawed);
    this.#writers += 1;
  }

  leave(): void {
    this.#writers -= 1;
    if (this.#writers === 0) this.#fs.core.scheduler.notify(this.#idle);
  }

  /** @throws {Refusal} EBUSY when it is frozen, or a journal is not clean; EROFS */
  *freeze(): Task {
    const { core } = this.#fs;
    if (core.isReadOnly) throw new Refusal('EROFS');
    if (this.isFrozen) throw new Refusal('EBUSY');
    this.#state = 'frozen-here';
    yield* this.#stop();
    yield* this.#exchange('EX');
    if (yield* this.#areJournalsClean()) return;
    yield* this.thaw();
    throw new Refusal('EBUSY');
  }

  /** @throws {Refusal} EINVAL when this node has not frozen it */
  *thaw(): Task {
    if (this.#state !== 'frozen-here') throw new Refusal('EINVAL');
    yield* this.#exchange('SH');
    this.#resume();
  }

  /** Makes way for another node that wants to freeze (`freeze_go_callback`). */
  giveWayIfAsked(): void {
    const holder = this.#hold.holders.find(isFreezeHolder);
    if (this.isFrozen || holder?.glock.isDemote !== true) return;
    this.#state = 'frozen-elsewhere';
    this.#fs.core.scheduler.start(this.#giveWay());
  }

  *#giveWay(): Task {
    yield* this.#stop();
    yield* this.#exchange('SH');
    this.#resume();
  }

  /** Waits for the calls that change something, and closes the journal. */
  *#stop(): Task {
    const { core } = this.#fs;
    while (this.#writers > 0) yield* wait(this.#idle);
    if (!core.isReadOnly) yield* core.log.flush(LOG_HEAD.FLUSH_FREEZE | LOG_HEAD.LFC_FREEZE_GO_SYNC);
  }

  #resume(): void {
    const { log, scheduler } = this.#fs.core;
    log.thaw();
    this.#state = 'thawed';
    scheduler.notify(this.#thawed);
  }

  /** Gives the freeze glock up and takes it anew. */
  *#exchange(state: 'SH' | 'EX'): Task {
    const { locks } = this.#fs.core;
    const { holders } = this.#hold;
    const at = holders.findIndex(isFreezeHolder);
    const [before] = holders.splice(at, 1);
    const { glock } = before!;
    locks.release(before!);
    const holder = yield* locks.acquire(glock, state, HolderFlag.NOEXP | HolderFlag.EXACT);
    holders.splice(at, 0, holder);
  }

  /** Another node may have died before it could close its journal (`gfs2_lock_fs_check_clean`). */
  *#areJournalsClean(): Task<boolean> {
    const { core, inodes } = this.#fs;
    for (const journal of this.#hold.journals) {
      if (journal.jid === core.jid) continue;
      const holder = yield* inodes.lock(journal.inode, 'SH', HolderFlag.NOEXP);
      try {
        const head = yield* findLogHead(core.disk, yield* mapJournal(this.#fs, journal), core.headerCodec);
        if (head === undefined || (head.flags & LOG_HEAD.UNMOUNT) === 0) return false;
      } finally {
        inodes.unlock(holder);
      }
    }
    return true;
  }
}

function isFreezeHolder({ glock }: Holder): boolean {
  return glock.type === GlockType.nondisk && glock.number === NondiskLock.freeze;
}
