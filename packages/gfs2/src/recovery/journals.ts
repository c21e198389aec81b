import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import type { Inode } from '../inode/inode.js';
import { mapExtent } from '../inode/tree.js';
import { JournalMap } from '../log/journal-map.js';
import { isRegular } from '../ondisk/dinode.js';

/** A journal of the file system, its inode in use as long as the mount lasts (`gfs2_jdesc`). */
export interface Journal {
  readonly jid: number;
  readonly inode: Inode;
  /** Where it lies, once somebody has looked. Journals never move. */
  map?: JournalMap;
}

const MIN_JOURNAL_BYTES = 8 * 1024 * 1024;
const MAX_JOURNAL_BYTES = 1024 * 1024 * 1024;

/**
 * Reads where a journal lies (`gfs2_jdesc_check`, `gfs2_map_journal_extents`). The caller holds the inode's glock.
 *
 * @throws {Refusal} EIO when its size is out of range, it has holes or leads to what is no block; the node withdraws.
 */
export function* mapJournal(fs: FileSystem, journal: Journal): Task<JournalMap> {
  journal.map ??= yield* readExtents(fs, journal);
  return journal.map;
}

function* readExtents(fs: FileSystem, { jid, inode }: Journal): Task<JournalMap> {
  const { size } = inode.di;
  const { blockSize } = fs.core.geometry;
  const isSizeRight = size >= MIN_JOURNAL_BYTES && size <= MAX_JOURNAL_BYTES && size % blockSize === 0;
  if (!isRegular(inode.di) || !isSizeRight) fs.core.inconsistent(`journal ${jid} has ${size} bytes`);
  const addresses: number[] = [];
  while (addresses.length * blockSize < size) {
    const extent = yield* mapExtent(fs, inode, addresses.length, size / blockSize - addresses.length);
    if (extent.block === 0) fs.core.inconsistent(`journal ${jid} has a hole at block ${addresses.length}`);
    // No device has such a block; what lies behind the end of this one the disk refuses.
    if (!Number.isSafeInteger(extent.block + extent.count)) {
      fs.core.inconsistent(`journal ${jid} leads to block ${extent.block}`);
    }
    for (let i = 0; i < extent.count; i++) addresses.push(extent.block + i);
  }
  const map = new JournalMap(jid, inode.addr, addresses);
  if (fs.core.config.era === 'modern')
    fs.core.print('info', `journal ${jid} mapped with ${map.extentCount} extents in 0ms`);
  return map;
}
