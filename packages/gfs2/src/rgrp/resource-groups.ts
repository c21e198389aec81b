import { assert, type Task } from '@quorate/kernel';
import {
  type Allocation,
  allocBlocks,
  allocDinode,
  type DinodeAllocation,
  freeBlocks,
  freeDinode,
  giveBackDinode,
  unlinkDinode,
} from '../allocator/allocate.js';
import { Reservation } from '../allocator/reservation.js';
import { inplaceRelease, inplaceReserve, promiseNow, type ReserveHost } from '../allocator/reserve.js';
import { RDF, type RgrpHost } from '../allocator/rgrp.js';
import { RgrpIndex } from '../allocator/rgrp-index.js';
import type { AddressSpace, Buffer } from '../buffer/buffer.js';
import type { Core } from '../core.js';
import { type Holder, HolderFlag } from '../glock/glock.js';
import { GlockType } from '../glock/glock-name.js';
import type { Inode } from '../inode/inode.js';
import type { Transaction } from '../log/log.js';
import type { PlacedRgrp } from '../mkfs/rgrp-plan.js';
import { isDirectory } from '../ondisk/dinode.js';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { initMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { encodeRgrpHeader, RGF } from '../ondisk/rgrp-header.js';
import type { RindexEntry } from '../ondisk/rindex.js';
import type { Owner, QuotaChanges } from '../quota/quota-changes.js';
import { Refusal } from '../refusal.js';
import { GlockedRgrp } from './glocked-rgrp.js';
import type { Statfs } from './statfs.js';

/** Blocks promised to one operation, in a resource group that it holds. */
export interface Grant {
  readonly rgrp: GlockedRgrp;
  readonly rs: Reservation;
  readonly holder: Holder;
}

/** A run of blocks within one resource group. */
export interface RgrpRun {
  readonly rgrp: GlockedRgrp;
  readonly block: number;
  readonly count: number;
}

/**
 * The resource groups under their glocks: the allocator's library with transactions, the cache and the figures around it.
 *
 * A group is read when it is first locked, and forgotten when its lock goes to another node.
 */
export class ResourceGroups {
  readonly #core: Core;
  readonly #statfs: Statfs;
  readonly #quotaChanges: QuotaChanges;
  readonly #host: RgrpHost;
  #index = new RgrpIndex<GlockedRgrp>([]);
  readonly #byAddr = new Map<number, GlockedRgrp>();
  /** The transaction that the allocator's changes belong to, while it is at work. */
  #transaction: Transaction | undefined = undefined;
  /** Another node may have added groups to the index (`sd_rindex_uptodate`). */
  isIndexStale = false;
  #journals = 1;
  /** Has an unlinked dinode deleted that nobody has open. Set by the layer above. */
  reclaim: (addr: number) => void = () => {};
  /** Reads what was added to the index. Set by the layer above. */
  readIndex: () => Task = function* () {};

  constructor(core: Core, statfs: Statfs, quotaChanges: QuotaChanges) {
    this.#core = core;
    this.#statfs = statfs;
    this.#quotaChanges = quotaChanges;
    this.#host = {
      willChange: (rgrp, index) => core.log.addMeta(this.#transaction!, (rgrp as GlockedRgrp).buffers[index]!),
      inconsistent: (rgrp, text) => core.inconsistent(`resource group ${rgrp.addr}: ${text}`),
    };
  }

  /** Takes the index as `rindex` has it. Of `journals` nodes each prefers its own part of the groups. */
  setIndex(entries: readonly RindexEntry[], journals: number): void {
    this.clear();
    this.#journals = journals;
    this.addToIndex(entries);
  }

  /** Takes groups behind those that there are (`gfs2_ri_update`). */
  addToIndex(entries: readonly RindexEntry[]): void {
    this.#index = new RgrpIndex([...this.all, ...entries.map((entry) => this.#newRgrp(entry))]);
    this.#index.prefer(this.#core.jid, this.#journals);
  }

  /**
   * Learns of groups that another node has added (`gfs2_rindex_update`). To be called before a block is looked for whose inode's
   * lock is held; the caller holds no group, which who adds some may want.
   */
  *update(): Task {
    if (this.isIndexStale) yield* this.readIndex();
  }

  /**
   * Writes header and bitmap of new groups, each under its lock; nobody knows them before the index has them.
   *
   * @throws {Refusal} EIO
   */
  *make(placed: readonly PlacedRgrp[]): Task {
    const { cache, locks, disk } = this.#core;
    for (const { rindex, skip } of placed) {
      const holder = yield* locks.acquire(locks.get(GlockType.rgrp, rindex.addr), 'EX', HolderFlag.SKIP);
      try {
        const { space } = holder.glock;
        const buffers = Array.from({ length: rindex.length }, (_, i) => cache.create(space, rindex.addr + i));
        for (const { data } of buffers.slice(1)) initMetaBlock(data, META_TYPE.RB);
        const header = { flags: 0, free: rindex.data, dinodes: 0, skip, igeneration: 0 };
        encodeRgrpHeader(header, rindex, buffers[0]!.data);
        if ((yield* cache.write(buffers)) !== undefined) throw new Refusal('EIO');
        for (const buffer of buffers) cache.drop(buffer);
      } finally {
        locks.release(holder);
      }
    }
    yield* disk.flush();
  }

  /** Has the header of what was the last group say where the next one is. The group is held, and `addr` follows it. */
  setSkip(transaction: Transaction, rgrp: GlockedRgrp, addr: number): void {
    rgrp.skip = addr - rgrp.addr;
    this.#within(transaction, rgrp, () => rgrp.out(this.#host));
  }

  /** Forgets the groups: the file system is being unmounted. */
  clear(): void {
    for (const { glock } of this.#index.all) glock.references -= 1;
    this.#index = new RgrpIndex<GlockedRgrp>([]);
    this.#byAddr.clear();
  }

  get all(): readonly GlockedRgrp[] {
    return this.#index.all;
  }

  /** The group that has a data block of that number. */
  find(block: number): GlockedRgrp | undefined {
    const rgrp = this.#index.find(block);
    return rgrp?.hasData(block) ? rgrp : undefined;
  }

  /** Cuts a run of blocks where it passes from one group to the next. */
  split(block: number, count: number): RgrpRun[] {
    const runs: RgrpRun[] = [];
    for (let at = block; at < block + count; ) {
      const rgrp = this.find(at);
      if (rgrp === undefined) return this.#core.inconsistent(`block ${at} is in no resource group`);
      const end = Math.min(block + count, rgrp.rindex.data0 + rgrp.rindex.data);
      runs.push({ rgrp, block: at, count: end - at });
      at = end;
    }
    return runs;
  }

  /** Locks a group to change it; others on this node may do so too. */
  *hold(rgrp: GlockedRgrp): Task<Holder> {
    return yield* this.#lock(rgrp, 'EX', HolderFlag.NODE_SCOPE);
  }

  /** The same, if nobody has to be waited for and its blocks are there; else undefined: then `hold` it. */
  holdNow(rgrp: GlockedRgrp): Holder | undefined {
    if (rgrp.glock.isInstantiateNeeded) return undefined;
    return this.#core.locks.acquireNow(rgrp.glock, 'EX', HolderFlag.NODE_SCOPE);
  }

  /** Locks a group so that nobody on this node either can change it. */
  *holdAlone(rgrp: GlockedRgrp): Task<Holder> {
    return yield* this.#lock(rgrp, 'EX', 0);
  }

  /** Locks a group to look at it. */
  *holdShared(rgrp: GlockedRgrp): Task<Holder> {
    return yield* this.#lock(rgrp, 'SH', 0);
  }

  /** The reservation of an inode, made when it first allocates. */
  reservationOf(inode: Inode): Reservation {
    const { di } = inode;
    inode.reservation ??= new Reservation(inode.addr, di.goalMeta, isDirectory(di));
    return inode.reservation;
  }

  /** A reservation for an inode that is to be made below `dir`. */
  reservationBelow(dir: Inode, isDir: boolean): Reservation {
    return new Reservation(dir.addr, dir.di.goalMeta, isDir);
  }

  /** Where an Orlov-like allocator puts a directory: that many groups away from where it would else be. */
  orlovSkip(): number {
    return this.#core.config.prng.below(Math.max(1, this.#index.all.length));
  }

  /**
   * Runs `body` with `target` blocks promised to it (`gfs2_inplace_reserve`); with none, without a resource group.
   *
   * @throws {Refusal} ENOSPC
   */
  *using<T>(rs: Reservation, target: number, body: (grant: Grant | undefined) => Task<T>, skip = 0): Task<T> {
    if (target === 0) return yield* body(undefined);
    const grant = yield* this.#reserve(rs, target, skip);
    try {
      return yield* body(grant);
    } finally {
      this.release(grant);
    }
  }

  /**
   * Promises `target` blocks of the group where the inode has its no-fly zone, if nobody has to be waited for; else undefined, and
   * nothing was done. The caller `release`s it.
   */
  reserveNow(rs: Reservation, target: number): Grant | undefined {
    const rgrp = this.#index.own(rs.rgrp);
    if (rgrp === undefined || !rs.isActive || rs.reserved > 0) return undefined;
    const holder = this.holdNow(rgrp);
    if (holder === undefined) return undefined;
    if (promiseNow(rgrp, rs, target)) return { rgrp, rs, holder };
    this.#core.locks.release(holder);
    return undefined;
  }

  /** Takes back what was promised and not allocated, and lets go of the group. */
  release({ rs, holder }: Grant): void {
    inplaceRelease(rs);
    this.#core.locks.release(holder);
  }

  /** Gives the inode up to `want` blocks in a row, inside a transaction. */
  alloc(transaction: Transaction, grant: Grant | undefined, inode: Inode, want: number): Allocation {
    assert(grant !== undefined, 'blocks are allocated that nobody reserved');
    const { rs } = grant;
    const allocation = this.#allocBlocks(transaction, grant, Math.min(want, rs.reserved));
    inode.di.goalMeta = inode.di.goalData = rs.goal;
    this.#statfs.change(transaction, 0, -allocation.count, 0);
    this.#quotaChanges.change(transaction, inode.di, allocation.count);
    return allocation;
  }

  /** Gives a block for a dinode, inside a transaction. */
  allocDinode(transaction: Transaction, { rs, rgrp }: Grant, owner: Owner): DinodeAllocation {
    const allocation = this.#within(transaction, rgrp, () => allocDinode(rs, this.#host));
    this.#statfs.change(transaction, 0, -1, 1);
    this.#quotaChanges.change(transaction, owner, 1);
    return allocation;
  }

  /** Frees blocks that an inode has in a group that is held. They are not given out again before the transaction is durable. */
  free(transaction: Transaction, rgrp: GlockedRgrp, block: number, count: number, inode: Inode): void {
    this.#within(transaction, rgrp, () => freeBlocks(rgrp, block, count, this.#host));
    this.#statfs.change(transaction, 0, count, 0);
    this.#quotaChanges.change(transaction, inode.di, -count);
  }

  /** The dinode has lost its last name. */
  unlinkDinode(transaction: Transaction, rgrp: GlockedRgrp, block: number): void {
    rgrp.unlinked += 1;
    this.#within(transaction, rgrp, () => unlinkDinode(rgrp, block, this.#host));
  }

  /** Takes back what `allocDinode` gave, in the same transaction. */
  giveBackDinode(transaction: Transaction, rgrp: GlockedRgrp, block: number, owner: Owner): void {
    this.#within(transaction, rgrp, () => giveBackDinode(rgrp, block, this.#host));
    this.#statfs.change(transaction, 0, 1, -1);
    this.#quotaChanges.change(transaction, owner, -1);
  }

  /** Frees a dinode that is unlinked. */
  freeDinode(transaction: Transaction, rgrp: GlockedRgrp, { addr, di }: Inode): void {
    rgrp.unlinked -= 1;
    this.#within(transaction, rgrp, () => freeDinode(rgrp, addr, this.#host));
    this.#statfs.change(transaction, 0, 1, -1);
    this.#quotaChanges.change(transaction, di, -1);
  }

  /** The disk knows which blocks of this group are free. */
  setTrimmed(transaction: Transaction, rgrp: GlockedRgrp): void {
    rgrp.flags = (rgrp.flags | RGF.TRIMMED) >>> 0;
    this.#within(transaction, rgrp, () => rgrp.out(this.#host));
  }

  /** Header and bitmap blocks that a change of `count` blocks may touch. */
  bitmapBlocks(grant: Grant | undefined, count: number): number {
    return grant === undefined ? 0 : this.bitmapBlocksOf(grant.rgrp, count);
  }

  bitmapBlocksOf(rgrp: GlockedRgrp, count: number): number {
    return Math.min(count + 1, rgrp.rindex.length);
  }

  /** A flush has committed blocks of this group: what was freed in it may be used again. */
  committed(space: AddressSpace): void {
    const rgrp = this.#byAddr.get(space.number);
    if (rgrp?.isAttached) rgrp.releaseClones();
  }

  /** The lock has gone, and the cached blocks with it. */
  invalidated(addr: number): void {
    const rgrp = this.#byAddr.get(addr);
    if (rgrp === undefined) return;
    rgrp.detach();
    rgrp.buffers = [];
  }

  #newRgrp(entry: RindexEntry): GlockedRgrp {
    const { geometry, locks } = this.#core;
    try {
      const rgrp = new GlockedRgrp(geometry, entry, locks.get(GlockType.rgrp, entry.addr));
      rgrp.glock.references += 1;
      this.#byAddr.set(rgrp.addr, rgrp);
      return rgrp;
    } catch (error) {
      if (error instanceof RangeError) return this.#core.inconsistent(error.message);
      throw error;
    }
  }

  *#lock(rgrp: GlockedRgrp, state: 'EX' | 'SH', flags: number): Task<Holder> {
    const holder = yield* this.#core.locks.acquire(rgrp.glock, state, flags);
    let isDone = false;
    try {
      if (rgrp.glock.isInstantiateNeeded) yield* this.#read(rgrp);
      isDone = true;
    } finally {
      if (!isDone) this.#core.locks.release(holder);
    }
    return holder;
  }

  /** Reads header and bitmap (`gfs2_rgrp_bh_get`). */
  *#read(rgrp: GlockedRgrp): Task {
    const { cache } = this.#core;
    const { space } = rgrp.glock;
    cache.readAhead(space, rgrp.addr, rgrp.rindex.length);
    const buffers: Buffer[] = [];
    for (let i = 0; i < rgrp.rindex.length; i++) buffers.push(yield* cache.read(space, rgrp.addr + i));
    // Somebody else on this node was faster.
    if (!rgrp.glock.isInstantiateNeeded) return;
    if (!rgrp.attach(buffers.map(({ data }) => data))) {
      return this.#core.inconsistent(`resource group ${rgrp.addr} has no header or no bitmap`);
    }
    for (const buffer of buffers) buffer.isKept = true;
    rgrp.buffers = buffers;
    rgrp.glock.isInstantiateNeeded = false;
    if (rgrp.glock.lvb !== undefined) rgrp.unlinked = rgrp.unlinkedDinodes().length;
    if (rgrp.glock.state === 'EX') rgrp.updateLvb();
  }

  *#reserve(rs: Reservation, target: number, skip: number): Task<Grant> {
    const host = new Reserver(this.#core, this);
    try {
      const rgrp = yield* inplaceReserve(this.#index, rs, { target, skip }, host);
      if (rgrp === 'ENOSPC') throw new Refusal('ENOSPC');
      return { rgrp, rs, holder: host.take() };
    } finally {
      host.end();
    }
  }

  /** `#within` for what is done most often. */
  #allocBlocks(transaction: Transaction, { rs, rgrp }: Grant, want: number): Allocation {
    this.#transaction = transaction;
    try {
      return allocBlocks(rs, want, this.#host);
    } finally {
      this.#transaction = undefined;
      rgrp.updateLvb();
    }
  }

  /** Lets the allocator work on a group for a transaction. */
  #within<T>(transaction: Transaction, rgrp: GlockedRgrp, body: () => T): T {
    this.#transaction = transaction;
    try {
      return body();
    } finally {
      this.#transaction = undefined;
      rgrp.updateLvb();
    }
  }
}

/** One search for a resource group with room: holds at most one group at a time. */
class Reserver implements ReserveHost<GlockedRgrp> {
  readonly #core: Core;
  readonly #rgrps: ResourceGroups;
  #holder: Holder | undefined = undefined;

  constructor(core: Core, rgrps: ResourceGroups) {
    this.#core = core;
    this.#rgrps = rgrps;
  }

  /** The holder of the group that was found, for the caller to keep. */
  take(): Holder {
    const holder = this.#holder!;
    this.#holder = undefined;
    return holder;
  }

  end(): void {
    if (this.#holder !== undefined) this.#core.locks.release(this.#holder);
    this.#holder = undefined;
  }

  isLockedByMe(): boolean {
    return false;
  }

  isFastToAcquire({ glock, flags }: GlockedRgrp): boolean {
    const isIdle = glock.state !== 'UN' && glock.holders.length === 0 && !glock.isDemote && !glock.isDemoting;
    return isIdle || (flags & RDF.PREFERRED) !== 0;
  }

  /** Round trips to the DLM are not measured here, so no group counts as congested. */
  isCongested(): boolean {
    return false;
  }

  lock(rgrp: GlockedRgrp): Task | undefined {
    this.#holder = this.#rgrps.holdNow(rgrp);
    return this.#holder === undefined ? this.#wait(rgrp) : undefined;
  }

  unlock(): void {
    this.end();
  }

  /** Has orphans deleted, which dead nodes leave behind (`try_rgrp_unlink`). */
  reclaim(rgrp: GlockedRgrp): void {
    for (const addr of rgrp.unlinkedDinodes()) this.#rgrps.reclaim(addr);
    rgrp.flags = (rgrp.flags & ~RDF.CHECK) >>> 0;
  }

  *#wait(rgrp: GlockedRgrp): Task {
    this.#holder = yield* this.#rgrps.hold(rgrp);
  }

  *flushLog(): Task {
    yield* this.#core.log.flush(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_INPLACE_RESERVE);
  }
}
