import type { Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import { isRoot } from '../calls/caller.js';
import type { Core } from '../core.js';
import type { FileSystem } from '../filesystem.js';
import { type GlockState, type Holder, HolderFlag } from '../glock/glock.js';
import { GlockType } from '../glock/glock-name.js';
import { readFile } from '../inode/read-file.js';
import { mapExtent } from '../inode/tree.js';
import { writeAtOnce } from '../inode/write-file.js';
import type { Transaction } from '../log/log.js';
import {
  decodeQuota,
  decodeQuotaChange,
  encodeQuota,
  encodeQuotaChange,
  QUOTA_BYTES,
  type Quota,
} from '../ondisk/accounting.js';
import { DIF, type Dinode } from '../ondisk/dinode.js';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { isMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { Refusal } from '../refusal.js';
import { decodeQuotaLvb, encodeQuotaLvb } from './quota-lvb.js';

/** Whose blocks they are. System inodes are nobody's. */
export type Owner = Pick<Dinode, 'uid' | 'gid' | 'flags'>;

/** What this node has not yet added to the `quota` file for a user or a group. */
interface Pending {
  readonly slot: number;
  change: number;
}

const NONE: Quota = { limit: 0, warn: 0, value: 0 };

/** Most blocks of `quota_change` that one transaction changes: of two owners, each a user and a group. */
const MOST_CHANGED = 4;

/**
 * How many blocks each user and each group has (`quota=account`), and that nobody gets more than its limit (`quota=on`). A node
 * notes its changes in its `quota_change` file, in the transactions that make them, and adds them to the `quota` file now and
 * then; a user has the number 2 * id, a group 2 * id + 1, for the record and for the glock.
 *
 * Differs from Linux, which does not count what root allocates: here only limits do not hold for root.
 *
 * Source: Linux fs/gfs2/quota.c.
 */
export class Quotas {
  readonly #core: Core;
  readonly #pending = new Map<number, Pending>();
  readonly #taken = new Set<number>();
  /** The blocks of this node's `quota_change`; none while quotas are off. */
  #blocks: readonly Buffer[] = [];

  constructor(core: Core) {
    this.#core = core;
  }

  get isInUse(): boolean {
    return this.#blocks.length > 0;
  }

  /** Reads what is left of this journal's last mount (`gfs2_quota_init`). The glock of `quota_change` is held EX. */
  *open(fs: FileSystem): Task {
    const { quotaChange } = fs.system;
    const { cache, geometry, log } = this.#core;
    const blocks: Buffer[] = [];
    for (let lblock = 0; lblock * geometry.blockSize < quotaChange.di.size; lblock++) {
      const { block } = yield* mapExtent(fs, quotaChange, lblock, 1);
      const buffer = block === 0 ? undefined : yield* cache.read(quotaChange.glock.space, block);
      if (buffer === undefined || !isMetaBlock(buffer.data, META_TYPE.QC)) {
        return this.#core.inconsistent(`block ${lblock} of quota_change${this.#core.jid} holds no quota changes`);
      }
      buffer.isKept = true;
      this.#readBlock(buffer.data, blocks.length);
      blocks.push(buffer);
    }
    this.#blocks = blocks;
    log.extraBlocks = MOST_CHANGED;
  }

  #readBlock(block: Uint8Array, index: number): void {
    const { quotaChangesPerBlock } = this.#core.geometry;
    for (let i = 0; i < quotaChangesPerBlock; i++) {
      const { change, isUser, id } = decodeQuotaChange(block, i);
      const slot = index * quotaChangesPerBlock + i;
      if (change === 0) continue;
      this.#taken.add(slot);
      this.#pending.set(2 * id + (isUser ? 0 : 1), { slot, change });
    }
  }

  /** Counts blocks that an owner got or lost, in the transaction in which it did (`gfs2_quota_change`). */
  change(transaction: Transaction, { uid, gid, flags }: Owner, blocks: number): void {
    if (!this.isInUse || (flags & DIF.SYSTEM) !== 0) return;
    for (const number of [2 * uid, 2 * gid + 1]) this.#add(transaction, number, blocks);
  }

  /**
   * Whether an owner may get so many blocks more (`gfs2_quota_lock_check`). What other nodes have not told yet is not known: a node
   * that has used its share of what was left tells what it has (`need_sync`), so the limit is passed by less than such a share.
   *
   * @throws {Refusal} EDQUOT
   */
  *check(fs: FileSystem, { uid, gid, flags }: Owner, blocks: number): Task {
    if (!this.isInUse) return;
    if (this.#taken.size + 2 * MOST_CHANGED > this.#slots) yield* this.sync(fs);
    const isLimited = this.#core.options.quota === 'on' && !isRoot(fs.caller) && (flags & DIF.SYSTEM) === 0;
    if (!isLimited || blocks === 0) return;
    for (const number of [2 * uid, 2 * gid + 1]) {
      let { limit, value } = yield* this.#look(fs, number);
      if (limit === 0) continue;
      const change = this.#pending.get(number)?.change ?? 0;
      if (change > 0 && value + (change + blocks) * fs.system.statfsChanges.size > limit) {
        yield* this.#syncOne(fs, number);
        ({ limit, value } = yield* this.#look(fs, number));
      }
      if (value + (this.#pending.get(number)?.change ?? 0) + blocks > limit) throw new Refusal('EDQUOT');
    }
  }

  /** What a user or group has and may have, as this node knows. */
  *get(fs: FileSystem, number: number): Task<Quota> {
    const quota = yield* this.#look(fs, number);
    return { ...quota, value: quota.value + (this.#pending.get(number)?.change ?? 0) };
  }

  /** Sets the limits of a user or group, or what it has (`gfs2_set_dqblk`). */
  *set(fs: FileSystem, number: number, fields: Partial<Quota>): Task {
    yield* this.#update(fs, number, fields, false);
  }

  /** Adds this node's changes to the `quota` file (`gfs2_quota_sync`). */
  *sync(fs: FileSystem): Task {
    if (this.#pending.size === 0) return;
    for (const number of [...this.#pending.keys()].sort((a, b) => a - b)) yield* this.#syncOne(fs, number);
    yield* this.#core.log.flush(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_DO_SYNC);
  }

  *#syncOne(fs: FileSystem, number: number): Task {
    if (this.#pending.has(number)) yield* this.#update(fs, number, {}, true);
  }

  get #slots(): number {
    return this.#blocks.length * this.#core.geometry.quotaChangesPerBlock;
  }

  #add(transaction: Transaction, number: number, blocks: number): void {
    const pending = this.#pending.get(number) ?? { slot: this.#freeSlot(), change: 0 };
    const { quotaChangesPerBlock } = this.#core.geometry;
    const buffer = this.#blocks[Math.floor(pending.slot / quotaChangesPerBlock)]!;
    this.#core.log.addMeta(transaction, buffer);
    pending.change += blocks;
    const isLeft = pending.change !== 0;
    const slot = {
      change: pending.change,
      isUser: isLeft && number % 2 === 0,
      id: isLeft ? Math.floor(number / 2) : 0,
    };
    encodeQuotaChange(slot, buffer.data, pending.slot % quotaChangesPerBlock);
    if (isLeft) {
      this.#pending.set(number, pending);
      this.#taken.add(pending.slot);
    } else {
      this.#pending.delete(number);
      this.#taken.delete(pending.slot);
    }
  }

  /** There is one: `check` sees to it. */
  #freeSlot(): number {
    let slot = 0;
    while (this.#taken.has(slot)) slot += 1;
    return slot;
  }

  /** The record of a user or group, from the value of its glock if somebody has filled that in (`do_glock`). */
  *#look(fs: FileSystem, number: number): Task<Quota> {
    const { locks } = this.#core;
    const glock = locks.get(GlockType.quota, number);
    const shared = yield* locks.acquire(glock, 'SH');
    const known = decodeQuotaLvb(glock.lvb!);
    locks.release(shared);
    if (known !== undefined) return known;
    const holder = yield* locks.acquire(glock, 'EX');
    return yield* this.#withFile(fs, 'SH', holder, () => this.#read(fs, number));
  }

  /** Writes a record, with this node's changes if they are to be told, which then are none, in one transaction (`do_sync`). */
  *#update(fs: FileSystem, number: number, fields: Partial<Quota>, isTold: boolean): Task {
    const { locks } = this.#core;
    const glock = locks.get(GlockType.quota, number);
    const holder = yield* locks.acquire(glock, 'EX', HolderFlag.NOCACHE);
    yield* this.#withFile(fs, 'EX', holder, () => this.#write(fs, number, fields, isTold));
  }

  /** Works on a record in the `quota` file, fills it in for who holds its glock next, and gives that back. */
  *#withFile(fs: FileSystem, state: GlockState, record: Holder, work: () => Task<Quota>): Task<Quota> {
    try {
      const file = yield* fs.inodes.lock(fs.system.quota, state);
      try {
        const quota = yield* work();
        encodeQuotaLvb(quota, record.glock.lvb!);
        return quota;
      } finally {
        fs.inodes.unlock(file);
      }
    } finally {
      this.#core.locks.release(record);
    }
  }

  *#write(fs: FileSystem, number: number, fields: Partial<Quota>, isTold: boolean): Task<Quota> {
    const before = yield* this.#read(fs, number);
    const told = isTold ? (this.#pending.get(number)?.change ?? 0) : 0;
    const quota = { ...before, value: Math.max(0, before.value + told), ...fields };
    const bytes = new Uint8Array(QUOTA_BYTES);
    encodeQuota(quota, bytes);
    yield* writeAtOnce(fs, fs.system.quota, number * QUOTA_BYTES, bytes, {
      blocks: 1,
      change: (transaction) => {
        if (told !== 0) this.#add(transaction, number, -told);
      },
    });
    return quota;
  }

  /** The glock of the `quota` file is held. Behind its end nobody has anything. */
  *#read(fs: FileSystem, number: number): Task<Quota> {
    const { quota } = fs.system;
    const start = number * QUOTA_BYTES;
    if (quota.di.size < start + QUOTA_BYTES) return NONE;
    return decodeQuota(yield* readFile(fs, quota, start, QUOTA_BYTES));
  }
}
