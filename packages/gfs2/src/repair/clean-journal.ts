import { JournalMap } from '../log/journal-map.js';
import { findLogHead } from '../log/log-head.js';
import type { Geometry } from '../ondisk/geometry.js';
import { LOG_HEAD, type LogHeader, LogHeaderCodec } from '../ondisk/log-header.js';
import { JournalFault, Replay } from '../recovery/replay.js';
import { Refusal } from '../refusal.js';
import type { RepairDevice } from './repair-device.js';
import { SyncDisk } from './sync-disk.js';

/**
 * Replays a journal and ends it with a header that says so; one that contradicts itself, or is to be `reset`, gets such a header
 * in each block, as mkfs makes it.
 */
export function cleanJournal(
  device: RepairDevice,
  geometry: Geometry,
  inode: number,
  blocks: readonly number[],
  how: 'replay' | 'reset',
): void {
  const { blockSize } = geometry;
  const sync = new SyncDisk(device, blockSize);
  const map = new JournalMap(0, inode, blocks);
  const codec = new LogHeaderCodec(blockSize);
  const block = new Uint8Array(blockSize);
  const write = (blkno: number, sequence: number, flags: number): void => {
    codec.encode({ ...NOTHING_TO_REPLAY, blkno, sequence, flags, addr: blocks[blkno]!, jinode: inode }, block);
    device.write(blocks[blkno]! * blockSize, block);
  };
  if (how === 'replay') {
    const head = sync.run(findLogHead(sync.disk, map, codec));
    if (head !== undefined && isReplayed(sync, geometry, map, head)) {
      const blkno = (head.blkno + 1) % map.blocks;
      return write(blkno, head.sequence + 1, LOG_HEAD.UNMOUNT | LOG_HEAD.USERSPACE);
    }
  }
  for (let blkno = 0; blkno < map.blocks; blkno++) write(blkno, blkno, (LOG_HEAD.UNMOUNT | LOG_HEAD.USERSPACE) >>> 0);
}

function isReplayed(sync: SyncDisk, geometry: Geometry, map: JournalMap, head: LogHeader): boolean {
  if (head.tail >= map.blocks) return false;
  try {
    sync.run(new Replay(geometry, sync.disk, sync.scheduler, map, head, undefined).run());
    return true;
  } catch (error) {
    if (error instanceof JournalFault || error instanceof Refusal) return false;
    throw error;
  }
}

const NOTHING_TO_REPLAY = {
  jid: 0,
  tail: 0,
  nsec: 0,
  sec: 0,
  statfsAddr: 0,
  quotaAddr: 0,
  localTotal: 0,
  localFree: 0,
  localDinodes: 0,
};
