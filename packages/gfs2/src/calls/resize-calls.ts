import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { Refusal } from '../refusal.js';
import { addJournals, type JournalCounts, type NewJournals } from '../resize/add-journals.js';
import { type Growth, grow } from '../resize/grow.js';
import { isRoot } from './caller.js';

/** @throws {Refusal} EPERM for others than root, EINVAL, ENOSPC */
export function* growFileSystem(fs: FileSystem, deviceBlocks: number): Task<Growth> {
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
