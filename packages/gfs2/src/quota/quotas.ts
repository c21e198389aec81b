import type { Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import { isRoot } from '../calls/caller.js';
import type { FileSystem } from '../filesystem.js';
import { type GlockState, type Holder, HolderFlag } from '../glock/glock.js';
import { GlockType } from '../glock/glock-name.js';
import { readFile } from '../inode/read-file.js';
import { mapExtent } from '../inode/tree.js';
import { writeAtOnce } from '../inode/write-chunk.js';
import { decodeQuota, encodeQuota, QUOTA_BYTES, type Quota } from '../ondisk/accounting.js';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { isMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { Refusal } from '../refusal.js';
import { type Owner, quotaNumbersOf } from './quota-changes.js';
import { decodeQuotaLvb, encodeQuotaLvb } from './quota-lvb.js';

// How many blocks each user and each group has (`quota=account`), and that nobody gets more than its limit (`quota=on`). A node
// notes its changes in its `quota_change` file and adds them to the `quota` file now and then, where a user or a group has the
// record, and for it the glock, with its number.
//
// Differs from Linux, which does not count what root allocates: here only limits do not hold for root.
//
// Source: Linux fs/gfs2/quota.c.

const NONE: Quota = { limit: 0, warn: 0, value: 0 };

/** Reads this node's `quota_change` (`gfs2_quota_init`), whose glock is held EX. */
export function* openQuotas(fs: FileSystem): Task {
  const { quotaChange } = fs.system;
  const { cache, geometry, jid } = fs.core;
  const blocks: Buffer[] = [];
  for (let lblock = 0; lblock * geometry.blockSize < quotaChange.di.size; lblock++) {
    const { block } = yield* mapExtent(fs, quotaChange, lblock, 1);
    const buffer = block === 0 ? undefined : yield* cache.read(quotaChange.glock.space, block);
    if (buffer === undefined || !isMetaBlock(buffer.data, META_TYPE.QC)) {
      return fs.core.inconsistent(`block ${lblock} of quota_change${jid} holds no quota changes`);
    }
    buffer.isKept = true;
    blocks.push(buffer);
  }
  fs.quotaChanges.open(blocks);
}

/**
 * Whether an owner may get so many blocks more (`gfs2_quota_lock_check`). What other nodes have not told yet is not known: a node
 * that has used its share of what was left tells what it has (`need_sync`), so the limit is passed by less than such a share.
 *
 * @throws {Refusal} EDQUOT
 */
export function* checkLimits(fs: FileSystem, owner: Owner, blocks: number): Task {
  const { quotaChanges: changes, core, caller, system } = fs;
  if (!changes.isInUse) return;
  if (!changes.hasRoom) yield* syncQuotas(fs);
  if (core.options.quota !== 'on' || isRoot(caller) || blocks === 0) return;
  for (const number of quotaNumbersOf(owner)) {
    let { limit, value } = yield* look(fs, number);
    if (limit === 0) continue;
    const change = changes.of(number);
    if (change > 0 && value + (change + blocks) * system.statfsChanges.size > limit) {
      yield* syncOne(fs, number);
      ({ limit, value } = yield* look(fs, number));
    }
    if (value + changes.of(number) + blocks > limit) throw new Refusal('EDQUOT');
  }
}

/** What a user or group has and may have, as this node knows. */
export function* readQuota(fs: FileSystem, number: number): Task<Quota> {
  const quota = yield* look(fs, number);
  return { ...quota, value: quota.value + fs.quotaChanges.of(number) };
}

/** Sets the limits of a user or group, or what it has (`gfs2_set_dqblk`). */
export function* writeQuota(fs: FileSystem, number: number, fields: Partial<Quota>): Task {
  yield* update(fs, number, fields, false);
}

/** Adds this node's changes to the `quota` file (`gfs2_quota_sync`). */
export function* syncQuotas(fs: FileSystem): Task {
  const { numbers } = fs.quotaChanges;
  if (numbers.length === 0) return;
  for (const number of numbers) yield* syncOne(fs, number);
  yield* fs.core.log.flush(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_DO_SYNC);
}

/** Somebody else may have done it meanwhile. */
function* syncOne(fs: FileSystem, number: number): Task {
  if (fs.quotaChanges.of(number) !== 0) yield* update(fs, number, {}, true);
}

/** The record of a user or group, from the value of its glock if somebody has filled that in (`do_glock`). */
function* look(fs: FileSystem, number: number): Task<Quota> {
  const { locks } = fs.core;
  const glock = locks.get(GlockType.quota, number);
  const shared = yield* locks.acquire(glock, 'SH');
  const known = decodeQuotaLvb(glock.lvb!);
  locks.release(shared);
  if (known !== undefined) return known;
  const holder = yield* locks.acquire(glock, 'EX');
  return yield* withFile(fs, 'SH', holder, () => readRecord(fs, number));
}

/** Writes a record, with this node's changes if they are to be told, which then are none, in one transaction (`do_sync`). */
function* update(fs: FileSystem, number: number, fields: Partial<Quota>, isTold: boolean): Task {
  const { locks } = fs.core;
  const glock = locks.get(GlockType.quota, number);
  const holder = yield* locks.acquire(glock, 'EX', HolderFlag.NOCACHE);
  yield* withFile(fs, 'EX', holder, () => writeRecord(fs, number, fields, isTold));
}

/** Works on a record in the `quota` file, fills it in for who holds its glock next, and gives that back. */
function* withFile(fs: FileSystem, state: GlockState, record: Holder, work: () => Task<Quota>): Task<Quota> {
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
    fs.core.locks.release(record);
  }
}

function* writeRecord(fs: FileSystem, number: number, fields: Partial<Quota>, isTold: boolean): Task<Quota> {
  const before = yield* readRecord(fs, number);
  const told = isTold ? fs.quotaChanges.of(number) : 0;
  const quota = { ...before, value: Math.max(0, before.value + told), ...fields };
  const bytes = new Uint8Array(QUOTA_BYTES);
  encodeQuota(quota, bytes);
  yield* writeAtOnce(fs, fs.system.quota, number * QUOTA_BYTES, bytes, {
    blocks: 1,
    change: (transaction) => {
      if (told !== 0) fs.quotaChanges.add(transaction, number, -told);
    },
  });
  return quota;
}

/** The glock of the `quota` file is held. Behind its end nobody has anything. */
function* readRecord(fs: FileSystem, number: number): Task<Quota> {
  const { quota } = fs.system;
  const start = number * QUOTA_BYTES;
  if (quota.di.size < start + QUOTA_BYTES) return NONE;
  return decodeQuota(yield* readFile(fs, quota, start, QUOTA_BYTES));
}
