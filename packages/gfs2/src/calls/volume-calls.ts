import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import type { Freezer } from '../mount/freezer.js';
import type { Quota } from '../ondisk/accounting.js';
import { readQuota, writeQuota } from '../quota/quotas.js';
import { Refusal } from '../refusal.js';
import { addJournals } from '../resize/add-journals.js';
import { grow } from '../resize/grow.js';
import { trim } from '../rgrp/trim.js';
import { isInGroup, isRoot } from './caller.js';
import type { Growth, JournalCounts, NewJournals, Operation, QuotaSubject } from './operation.js';

/** Gives the bytes that were discarded. @throws {Refusal} EPERM for others than root, EINVAL, EOPNOTSUPP, EIO */
export function* trimVolume(fs: FileSystem, range: Extract<Operation, { kind: 'trim' }>): Task<number> {
  const { start = 0, length = Number.MAX_SAFE_INTEGER, minLength = 0 } = range;
  const { blockSize } = fs.core.geometry;
  if (!isRoot(fs.caller)) throw new Refusal('EPERM');
  if (![start, length, minLength].every((value) => Number.isSafeInteger(value) && value >= 0)) {
    throw new Refusal('EINVAL');
  }
  const first = Math.floor(start / blockSize);
  const minBlocks = Math.max(1, Math.floor(minLength / blockSize));
  return blockSize * (yield* trim(fs, { start: first, end: first + Math.floor(length / blockSize), minBlocks }));
}

/** @throws {Refusal} EPERM for others than root, EINVAL, ENOSPC */
export function* growVolume(fs: FileSystem, deviceBlocks: number): Task<Growth> {
  if (!isRoot(fs.caller)) throw new Refusal('EPERM');
  if (!Number.isSafeInteger(deviceBlocks) || deviceBlocks < 0) throw new Refusal('EINVAL');
  return yield* grow(fs, deviceBlocks);
}

/** @throws {Refusal} EPERM for others than root, EINVAL, ENOSPC */
export function* addJournalsTo(fs: FileSystem, what: NewJournals): Task<JournalCounts> {
  const { count, journalMiB, quotaChangeMiB } = what;
  if (!isRoot(fs.caller)) throw new Refusal('EPERM');
  const isRight = isWithin(count, 1, MAX_NEW) && isWithin(journalMiB, 8, 1024) && isWithin(quotaChangeMiB, 1, 64);
  if (!isRight) throw new Refusal('EINVAL');
  return yield* addJournals(fs, what);
}

/** More nodes than these never meet. */
const MAX_NEW = 1024;

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

/** @throws {Refusal} EPERM for others than root; as `Freezer` */
export function* freezeOrThaw(fs: FileSystem, freezer: Freezer, how: 'freeze' | 'thaw'): Task<undefined> {
  if (!isRoot(fs.caller)) throw new Refusal('EPERM');
  yield* how === 'freeze' ? freezer.freeze() : freezer.thaw();
  return undefined;
}

/** @throws {Refusal} EPERM for what is not the caller's, EINVAL */
export function* getQuota(fs: FileSystem, { of, id }: QuotaSubject): Task<Quota> {
  const isOwn = of === 'user' ? id === fs.caller.uid : isInGroup(fs.caller, id);
  if (!isRoot(fs.caller) && !isOwn) throw new Refusal('EPERM');
  return yield* readQuota(fs, quotaNumber({ of, id }));
}

/** @throws {Refusal} EPERM for others than root, EINVAL, ENOSPC */
export function* setQuota(
  fs: FileSystem,
  subject: QuotaSubject,
  { limit, warn, value }: Partial<Quota>,
): Task<undefined> {
  if (!isRoot(fs.caller)) throw new Refusal('EPERM');
  const fields = {
    ...(limit !== undefined && { limit }),
    ...(warn !== undefined && { warn }),
    ...(value !== undefined && { value }),
  };
  if (!Object.values(fields).every((field) => Number.isSafeInteger(field) && field >= 0)) throw new Refusal('EINVAL');
  yield* writeQuota(fs, quotaNumber(subject), fields);
  return undefined;
}

function quotaNumber({ of, id }: QuotaSubject): number {
  if (!Number.isInteger(id) || id < 0 || id > 0xffff_ffff) throw new Refusal('EINVAL');
  return 2 * id + (of === 'user' ? 0 : 1);
}
