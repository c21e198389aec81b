import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { readFile } from '../inode/read-file.js';
import { decodeRindex, RINDEX_ENTRY_BYTES, type RindexEntry } from '../ondisk/rindex.js';

/** What 8 EiB in groups of 2 GiB never need. */
const MAX_RINDEX_BYTES = 1 << 28;

/** The records of `rindex` from number `first` on; undefined when it has no possible size. The caller holds its glock. */
export function* readRindex(fs: FileSystem, first: number): Task<RindexEntry[] | undefined> {
  const { rindex } = fs.system;
  const { size } = rindex.di;
  if (size === 0 || size % RINDEX_ENTRY_BYTES !== 0 || size > MAX_RINDEX_BYTES) return undefined;
  const start = first * RINDEX_ENTRY_BYTES;
  // One block is lent, several are copied: the index is taken apart at once.
  return size > start ? decodeRindex(yield* readFile(fs, rindex, start, size - start)) : [];
}

/** Takes over what another node has added to `rindex` (`gfs2_ri_update`). */
export function* updateRindex(fs: FileSystem): Task {
  const holder = yield* fs.inodes.lock(fs.system.rindex, 'SH');
  try {
    yield* takeNewEntries(fs);
  } finally {
    fs.inodes.unlock(holder);
  }
}

/** The same for a caller that holds the glock of `rindex`. Groups never go, and never change. */
export function* takeNewEntries(fs: FileSystem): Task {
  const known = fs.rgrps.all.length;
  const entries = yield* readRindex(fs, known);
  if (entries === undefined) return fs.core.inconsistent(`rindex has ${fs.system.rindex.di.size} bytes`);
  fs.rgrps.isIndexStale = false;
  // Another task of this node was faster.
  if (fs.rgrps.all.length === known && entries.length > 0) fs.rgrps.addToIndex(entries);
}
