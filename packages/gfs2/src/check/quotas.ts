import type { ReadableDevice } from '../device.js';
import { decodeQuota, decodeQuotaChange, QUOTA_BYTES, type Quota } from '../ondisk/accounting.js';
import { DIF, type Dinode } from '../ondisk/dinode.js';
import { META_HEADER_BYTES } from '../ondisk/meta-header.js';
import { Volume } from '../volume.js';
import type { CheckedInodes } from './checked-inode.js';
import type { Fixer } from './fix.js';
import type { CheckImage } from './image.js';

/** A `quota` file up to this size is read whole, to find records of those who have nothing. */
const MAX_WHOLE_BYTES = 1 << 24;

/** Records that mkfs writes: user 0 and group 0, with one block each. */
const MKFS_RECORDS = 2;

/**
 * Quotas, on a file system that was never mounted without them: what the records say and the nodes have not told yet makes up what
 * the inodes of each user and group have. fsck.gfs2 does not look at that.
 */
export function checkQuotas(image: CheckImage, device: ReadableDevice, inodes: CheckedInodes): void {
  const volume = Volume.open(device);
  const quota = volume?.systemFile('quota');
  if (volume === undefined || quota === undefined || typeof quota === 'string') return;
  const truth = countOwners(inodes);
  const changes = [...pendingChanges(volume)];
  const told = new Map(truth);
  const add = (number: number, blocks: number): void => void told.set(number, (told.get(number) ?? 0) + blocks);
  for (const { number, change } of changes) add(number, -change);
  for (let number = 0; number < wholeRecords(quota); number++) add(number, 0);
  const fix = (fixer: Fixer): void => {
    const blocks = new Set(changes.map(({ block }) => block));
    for (const block of blocks) fixer.patch(block, (bytes) => bytes.fill(0, META_HEADER_BYTES));
    fixer.setQuotas(new Map([...told.keys()].map((number) => [number, truth.get(number) ?? 0])));
  };
  let isFirst = true;
  for (const [number, sum] of told) {
    const { value } = readRecord(volume, quota, number);
    if (value === sum) continue;
    const who = `${number % 2 === 0 ? 'user' : 'group'} ${Math.floor(number / 2)}`;
    const text = `the quota of ${who} says ${value} blocks, ${sum} are right`;
    // The first one mends all records: what nodes have not told yet is in them then.
    image.report('quota', 'quota', quota.addr, text, isFirst ? fix : undefined);
    isFirst = false;
  }
}

/** Whether records or nodes say more than mkfs has written, so that somebody has counted. */
export function hasQuotaRecords(device: ReadableDevice): boolean {
  const volume = Volume.open(device);
  const quota = volume?.systemFile('quota');
  if (volume === undefined || quota === undefined || typeof quota === 'string') return false;
  for (let number = 0; number < wholeRecords(quota); number++) {
    const { limit, warn, value } = readRecord(volume, quota, number);
    if (limit !== 0 || warn !== 0 || value !== (number < MKFS_RECORDS ? 1 : 0)) return true;
  }
  return quota.size > MAX_WHOLE_BYTES || pendingChanges(volume).next().done !== true;
}

/** Blocks of each user and group, by the number of the record. */
function countOwners(inodes: CheckedInodes): Map<number, number> {
  const sums = new Map<number, number>();
  for (const { dinode } of inodes.values()) {
    if ((dinode.flags & DIF.SYSTEM) !== 0) continue;
    for (const number of [2 * dinode.uid, 2 * dinode.gid + 1]) {
      sums.set(number, (sums.get(number) ?? 0) + dinode.blocks);
    }
  }
  return sums;
}

function wholeRecords({ size }: Dinode): number {
  return Math.min(size, MAX_WHOLE_BYTES) / QUOTA_BYTES;
}

/** Behind the end of the file nobody has anything. */
function readRecord(volume: Volume, quota: Dinode, number: number): Quota {
  const bytes = volume.read(quota, number * QUOTA_BYTES, QUOTA_BYTES);
  return bytes === 'EIO' || bytes.length < QUOTA_BYTES ? { limit: 0, warn: 0, value: 0 } : decodeQuota(bytes);
}

/** What a node has not added to a record yet, and the block that says so. */
interface PendingChange {
  readonly number: number;
  readonly change: number;
  readonly block: number;
}

function* pendingChanges(volume: Volume): Generator<PendingChange> {
  for (let jid = 0; ; jid++) {
    const file = volume.systemFile(`per_node/quota_change${jid}`);
    if (typeof file === 'string') return;
    for (const { block, count } of volume.extents(file)) {
      for (let i = 0; i < count; i++) yield* changesIn(volume, block + i);
    }
  }
}

function* changesIn(volume: Volume, block: number): Generator<PendingChange> {
  const bytes = volume.readBlock(block);
  if (bytes === undefined) return;
  for (let slot = 0; slot < volume.geometry.quotaChangesPerBlock; slot++) {
    const { change, isUser, id } = decodeQuotaChange(bytes, slot);
    if (change !== 0) yield { number: 2 * id + (isUser ? 0 : 1), change, block };
  }
}
