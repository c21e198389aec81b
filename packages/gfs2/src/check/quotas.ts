import type { ReadableDevice } from '../device.js';
import { decodeQuota, decodeQuotaChange, QUOTA_BYTES } from '../ondisk/accounting.js';
import { DIF } from '../ondisk/dinode.js';
import { Volume } from '../volume.js';
import type { CheckedInodes } from './checked-inode.js';
import type { CheckImage } from './image.js';

/** A `quota` file up to this size is read whole, to find records of those who have nothing. */
const MAX_WHOLE_BYTES = 1 << 24;

/**
 * Quotas, on a file system that was never mounted without them: what the records say and the nodes have not told yet makes up what
 * the inodes of each user and group have. fsck.gfs2 does not look at that.
 */
export function checkQuotas(image: CheckImage, device: ReadableDevice, inodes: CheckedInodes): void {
  const volume = Volume.open(device);
  const quota = volume?.systemFile('quota');
  if (volume === undefined || quota === undefined || typeof quota === 'string') return;
  const sums = new Map<number, number>();
  const add = (number: number, blocks: number): void => void sums.set(number, (sums.get(number) ?? 0) + blocks);
  for (const { dinode } of inodes.values()) {
    if ((dinode.flags & DIF.SYSTEM) !== 0) continue;
    add(2 * dinode.uid, dinode.blocks);
    add(2 * dinode.gid + 1, dinode.blocks);
  }
  for (const [number, change] of pendingChanges(volume)) add(number, -change);
  const records = Math.min(quota.size, MAX_WHOLE_BYTES) / QUOTA_BYTES;
  for (let number = 0; number < records; number++) add(number, 0);
  for (const [number, sum] of sums) {
    const bytes = volume.read(quota, number * QUOTA_BYTES, QUOTA_BYTES);
    const value = bytes === 'EIO' || bytes.length < QUOTA_BYTES ? 0 : decodeQuota(bytes).value;
    if (value === sum) continue;
    const who = `${number % 2 === 0 ? 'user' : 'group'} ${Math.floor(number / 2)}`;
    image.report('quota', 'quota', quota.addr, `the quota of ${who} says ${value} blocks, ${sum} are right`);
  }
}

/** What the nodes have not added to the records yet. */
function* pendingChanges(volume: Volume): Generator<[number, number]> {
  const { geometry } = volume;
  for (let jid = 0; ; jid++) {
    const file = volume.systemFile(`per_node/quota_change${jid}`);
    if (typeof file === 'string') return;
    const content = volume.read(file);
    if (content === 'EIO') return;
    for (let at = 0; at < content.length; at += geometry.blockSize) {
      const block = content.subarray(at, at + geometry.blockSize);
      for (let slot = 0; slot < geometry.quotaChangesPerBlock; slot++) {
        const { change, isUser, id } = decodeQuotaChange(block, slot);
        if (change !== 0) yield [2 * id + (isUser ? 0 : 1), change];
      }
    }
  }
}
