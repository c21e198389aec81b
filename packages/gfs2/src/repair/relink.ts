import type { Task } from '@quorate/kernel';
import type { PendingEntry } from '../check/fix.js';
import type { FileSystem } from '../filesystem.js';
import { addEntry, blocksForEntry, type Name, nameOf, searchDirectory } from '../inode/directory.js';
import type { Inode } from '../inode/inode.js';
import { setModified } from '../inode/times.js';
import { writeDinode } from '../inode/tree.js';
import { createInode } from '../namei/create.js';
import { walk } from '../namei/walk.js';
import { isDirectory, MODE } from '../ondisk/dinode.js';
import { direntHash } from '../ondisk/dirent.js';
import { Refusal } from '../refusal.js';

/** Names of the types that entries have, for those in lost+found. */
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [4, 'dir'],
  [8, 'file'],
  [10, 'link'],
]);

/** Enters names into their directories, or into lost+found where that cannot be. Link counts are left to the passes that come after. */
export function* relink(fs: FileSystem, entries: readonly PendingEntry[]): Task {
  for (const entry of entries) {
    try {
      if (entry.dir === undefined || !(yield* enter(fs, entry.dir, entry.name, entry))) yield* adopt(fs, entry);
    } catch (error) {
      // Without room, or a directory to enter it into, it stays without a name.
      if (!(error instanceof Refusal)) throw error;
    }
  }
}

function* adopt(fs: FileSystem, entry: PendingEntry): Task {
  const home = yield* lostAndFound(fs);
  try {
    const base = `lost_${TYPE_NAMES.get(entry.type) ?? 'inode'}_${entry.addr}`;
    for (let i = 0; !(yield* enterInto(fs, home, nameOf(i === 0 ? base : `${base}_${i}`), entry)); i++);
  } finally {
    fs.inodes.put(home);
  }
}

function* lostAndFound(fs: FileSystem): Task<Inode> {
  try {
    return yield* walk(fs, '/lost+found');
  } catch (error) {
    if (!(error instanceof Refusal) || error.errno !== 'ENOENT') throw error;
    const root = yield* walk(fs, '/');
    try {
      return yield* createInode(fs, root, nameOf('lost+found'), { mode: MODE.DIRECTORY | 0o700 });
    } finally {
      fs.inodes.put(root);
    }
  }
}

/** False when the directory has that name already, for something else. */
function* enter(fs: FileSystem, dir: number, name: Uint8Array, entry: PendingEntry): Task<boolean> {
  const inode = yield* fs.inodes.hold(dir, 0);
  try {
    return yield* enterInto(fs, inode, { bytes: name, hash: direntHash(name) }, entry);
  } finally {
    fs.inodes.put(inode);
  }
}

function* enterInto(fs: FileSystem, dir: Inode, name: Name, entry: PendingEntry): Task<boolean> {
  const { addr, formalIno, type } = entry;
  const holder = yield* fs.inodes.lock(dir, 'EX');
  try {
    if (!isDirectory(dir.di)) return false;
    const held = yield* searchDirectory(fs, dir, name);
    if (held !== undefined) return held.addr === addr;
    const blocks = yield* blocksForEntry(fs, dir, name);
    yield* fs.rgrps.using(fs.rgrps.reservationOf(dir), blocks, (grant) =>
      fs.core.log.transact(7 + 2 * blocks + fs.rgrps.bitmapBlocks(grant, blocks), 0, function* (transaction) {
        const dirent = { addr, formalIno, type, name: name.bytes };
        yield* addEntry({ fs, inode: dir, transaction, grant }, name, dirent);
        setModified(fs, dir);
        yield* writeDinode(fs, dir, transaction);
      }),
    );
    return true;
  } finally {
    fs.inodes.unlock(holder);
  }
}
