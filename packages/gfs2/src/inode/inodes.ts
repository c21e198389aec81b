import { MILLISECOND, type Nanos, type Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { Core } from '../core.js';
import { type GlockState, type Holder, HolderFlag } from '../glock/glock.js';
import { GlockType } from '../glock/glock-name.js';
import { LruList } from '../lru-list.js';
import { DIF, type Dinode, decodeDinode, isDirectory } from '../ondisk/dinode.js';
import { MAX_DIR_DEPTH, MAX_HEIGHT } from '../ondisk/geometry.js';
import { Refusal } from '../refusal.js';
import { wait, waitUntil } from '../scheduler.js';
import { Inode } from './inode.js';

/** Inodes that stay in memory when nobody uses them. */
const MAX_UNUSED_INODES = 2000;

/** How long an inode that somebody uses on a block that is free again is waited for. */
const RETRY: Nanos = 100 * MILLISECOND;

/** All inodes that this node has in memory. */
export class Inodes {
  readonly #core: Core;
  readonly #table = new Map<number, Inode>();
  /** The same, the longest unused first. */
  readonly #order = new LruList<Inode>();
  /** Takes an unused inode out of memory, and off the disk if it was unlinked. Set by the layer above. */
  evict: (inode: Inode) => Task = function* () {};
  /** Reads what else decides about access. Set by the layer above. */
  readAcl: (inode: Inode) => Task = function* () {};
  /** Finishes a truncation that its node did not live to finish. */
  resumeTruncate: (inode: Inode) => Task = function* () {};

  constructor(core: Core) {
    this.#core = core;
  }

  get size(): number {
    return this.#table.size;
  }

  get all(): Iterable<Inode> {
    return this.#order;
  }

  find(addr: number): Inode | undefined {
    return this.#table.get(addr);
  }

  /**
   * Takes an inode into use (`gfs2_inode_lookup`). Waits while another node deletes it. `flags` are those of the holder that
   * waits.
   *
   * @throws {Refusal} ESTALE when the block holds another inode by now.
   */
  *hold(addr: number, formalIno: number, flags = 0): Task<Inode> {
    for (;;) {
      const inode = this.#table.get(addr);
      if (inode === undefined) return yield* this.#load(addr, formalIno, flags);
      if (inode.state !== 'ready') {
        yield* wait(inode.changed);
        continue;
      }
      if (formalIno !== 0 && inode.formalIno !== 0 && inode.formalIno !== formalIno) {
        if (inode.users > 0) throw new Refusal('ESTALE');
        // What is cached here may be older than the name.
        this.startEvict(inode);
        continue;
      }
      inode.users += 1;
      return inode;
    }
  }

  /** Ends a use. What nobody uses stays cached, unless it is unlinked or another node wants to delete it. */
  put(inode: Inode): void {
    inode.users -= 1;
    if (inode.users > 0 || inode.state !== 'ready' || this.#core.isWithdrawn) return;
    if (inode.iopenGlock.isDemote || inode.dinode?.nlink === 0) this.startEvict(inode);
    else {
      this.#order.use(inode);
      if (this.#table.size > MAX_UNUSED_INODES) this.#trim();
    }
  }

  startEvict(inode: Inode): void {
    inode.state = 'evicting';
    this.#core.scheduler.start(this.#evict(inode));
  }

  /** Waits for the glock and reads the dinode if it is not known. @throws {Refusal} ESTALE, EIO */
  *lock(inode: Inode, state: GlockState, flags = 0): Task<Holder> {
    const { locks } = this.#core;
    const holder = yield* locks.acquire(inode.glock, state, flags);
    if (!inode.glock.isInstantiateNeeded || (flags & HolderFlag.SKIP) !== 0) return holder;
    let isDone = false;
    try {
      yield* this.instantiate(inode);
      if (state === 'EX' && (inode.di.flags & DIF.TRUNC_IN_PROG) !== 0) yield* this.resumeTruncate(inode);
      isDone = true;
    } finally {
      if (!isDone) locks.release(holder);
    }
    return holder;
  }

  /** The glock, if nobody has to be waited for and the dinode is known; else undefined: then `lock` it. */
  lockNow(inode: Inode, state: GlockState, flags = 0): Holder | undefined {
    return inode.glock.isInstantiateNeeded ? undefined : this.#core.locks.acquireNow(inode.glock, state, flags);
  }

  unlock(holder: Holder): void {
    this.#core.locks.release(holder);
  }

  /** Block of the dinode. The caller holds the glock. */
  *dinodeBuffer(inode: Inode): Task<Buffer> {
    return inode.uptodateBuffer ?? (yield* this.#core.cache.read(inode.glock.space, inode.addr));
  }

  /** Reads the dinode and checks it (`gfs2_inode_refresh`). */
  *instantiate(inode: Inode): Task {
    const buffer = yield* this.dinodeBuffer(inode);
    const dinode = decodeDinode(buffer.data);
    if (dinode === undefined || dinode.addr !== inode.addr) {
      // A directory entry that was read before the inode was deleted leads to anything.
      if (inode.formalIno !== 0 && inode.dinode === undefined) throw new Refusal('ESTALE');
      this.#core.inconsistent(`block ${inode.addr} is not the dinode it should be`);
    }
    if (inode.formalIno !== 0 && dinode.formalIno !== inode.formalIno) throw new Refusal('ESTALE');
    if (!isPlausible(dinode))
      this.#core.inconsistent(`dinode ${inode.addr}: height ${dinode.height}, mode ${dinode.mode}`);
    inode.dinode = dinode;
    // Another node may have moved it.
    if (inode.reservation !== undefined) inode.reservation.goal = dinode.goalMeta;
    yield* this.readAcl(inode);
    inode.glock.isInstantiateNeeded = false;
  }

  /**
   * Adds an inode that is being made, in a block just allocated. The caller holds its glock EX and has it in use after.
   *
   * @throws {Refusal} EAGAIN when the locks are not to be had at once and `flags` say that it only tries
   */
  *create(addr: number, formalIno: number, flags: number): Task<{ inode: Inode; holder: Holder }> {
    // What was there before is on its way out of memory.
    if (this.#table.has(addr)) throw new Refusal('EAGAIN');
    const inode = yield* this.#load(addr, formalIno, flags);
    try {
      const holder = yield* this.#core.locks.acquire(inode.glock, 'EX', HolderFlag.SKIP | flags);
      inode.glock.isInstantiateNeeded = false;
      return { inode, holder };
    } catch (error) {
      inode.users -= 1;
      if (inode.users === 0) this.startEvict(inode);
      throw error;
    }
  }

  /**
   * Waits until this node can have the locks of a block at once, where a new inode was to be and others still held those of
   * its predecessor. The caller holds nothing that anybody could wait for.
   *
   * @throws {Refusal} EIO when an inode of this node is in use there: the bitmap is wrong to have the block free
   */
  *reclaimLocks(addr: number): Task {
    const { locks } = this.#core;
    const inode = this.#table.get(addr);
    if (inode !== undefined) {
      if (inode.state === 'ready' && inode.users > 0) {
        this.#core.inconsistent(`block ${addr} is free, and its inode is in use`);
      }
      if (inode.state === 'ready') this.startEvict(inode);
      yield* waitUntil(inode.changed, this.#core.now + RETRY);
    }
    locks.release(yield* locks.acquire(locks.get(GlockType.inode, addr), 'EX', HolderFlag.SKIP));
  }

  /** Forgets an inode; the caller has given back its locks. */
  forget(inode: Inode): void {
    this.#table.delete(inode.addr);
    this.#order.delete(inode);
    inode.reservation?.drop();
    inode.state = 'gone';
    inode.glock.references -= 1;
    inode.iopenGlock.references -= 1;
    this.#core.scheduler.notify(inode.changed);
  }

  *#load(addr: number, formalIno: number, flags: number): Task<Inode> {
    const { locks } = this.#core;
    const inode = new Inode(addr, formalIno, locks.get(GlockType.inode, addr), locks.get(GlockType.iopen, addr));
    inode.glock.references += 1;
    inode.iopenGlock.references += 1;
    // The glock may have stayed since an earlier stay of the inode in memory, what was read then has not.
    inode.glock.isInstantiateNeeded = true;
    this.#table.set(addr, inode);
    this.#order.use(inode);
    try {
      inode.iopen = yield* locks.acquire(inode.iopenGlock, 'SH', HolderFlag.EXACT | flags);
      inode.state = 'ready';
      inode.users = 1;
    } finally {
      if (inode.state === 'ready') this.#core.scheduler.notify(inode.changed);
      else this.forget(inode);
    }
    return inode;
  }

  *#evict(inode: Inode): Task {
    try {
      yield* this.evict(inode);
    } finally {
      if (inode.iopen !== undefined) this.#core.locks.release(inode.iopen);
      inode.iopen = undefined;
      if (inode.state !== 'gone') this.forget(inode);
    }
  }

  #trim(): void {
    for (const inode of this.#order) {
      if (inode.users > 0 || inode.state !== 'ready') continue;
      this.startEvict(inode);
      return;
    }
  }
}

function isPlausible({ mode, height, depth, flags, size, blocks }: Dinode): boolean {
  const isExhash = (flags & DIF.EXHASH) !== 0;
  const hasTable = isDirectory({ mode }) && depth <= MAX_DIR_DEPTH && size === 8 * 2 ** depth;
  const isCounted = Number.isSafeInteger(size) && Number.isSafeInteger(blocks);
  return mode !== 0 && height <= MAX_HEIGHT && isCounted && (isExhash ? hasTable : depth === 0);
}
