import type { Task } from '@quorate/kernel';
import type { JournalCounts, NewJournals } from '../calls/operation.js';
import type { FileSystem } from '../filesystem.js';
import { allocateRange } from '../inode/allocate-range.js';
import { nameOf } from '../inode/directory.js';
import type { Inode } from '../inode/inode.js';
import { mapExtent, writeDinode } from '../inode/tree.js';
import { writeFile } from '../inode/write-file.js';
import { CLEAN_HEADER, journalBlocks } from '../mkfs/journal.js';
import { createInode } from '../namei/create.js';
import { renameName } from '../namei/rename.js';
import { unlinkName } from '../namei/unlink.js';
import { lookup } from '../namei/walk.js';
import { INUM_RANGE_BYTES, STATFS_BYTES } from '../ondisk/accounting.js';
import { DIF, MODE } from '../ondisk/dinode.js';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { initMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { Refusal } from '../refusal.js';

/** What is being made stands under this name in the master directory, as with the original. */
const NEW_INODE = 'new_inode';

/** Bytes written at once. */
const CHUNK_BYTES = 1 << 20;

/**
 * Makes journals and the files of the nodes that will use them (`gfs2_jadd`). Each file is made whole under a name that nobody looks
 * for and then moved to its place, the journal last: whoever sees a journal can mount with it.
 *
 * @throws {Refusal} ENOSPC, EIO
 */
export function* addJournals(fs: FileSystem, what: NewJournals): Task<JournalCounts> {
  const { masterDir } = fs.core.superblock!;
  const master = yield* fs.inodes.hold(masterDir.addr, masterDir.formalIno);
  try {
    const { inode: jindex } = yield* lookup(fs, master, nameOf('jindex'));
    try {
      const { inode: perNode } = yield* lookup(fs, master, nameOf('per_node'));
      try {
        return yield* new JournalMaker(fs, { master, jindex, perNode }, what).run();
      } finally {
        fs.inodes.put(perNode);
      }
    } finally {
      fs.inodes.put(jindex);
    }
  } finally {
    fs.inodes.put(master);
  }
}

interface Directories {
  readonly master: Inode;
  readonly jindex: Inode;
  readonly perNode: Inode;
}

class JournalMaker {
  readonly #fs: FileSystem;
  readonly #directories: Directories;
  readonly #what: NewJournals;

  constructor(fs: FileSystem, directories: Directories, what: NewJournals) {
    this.#fs = fs;
    this.#directories = directories;
    this.#what = what;
  }

  *run(): Task<JournalCounts> {
    const before = yield* this.#countJournals();
    this.#checkRoom();
    for (let jid = before; jid < before + this.#what.count; jid++) {
      const { jindex, perNode } = this.#directories;
      yield* this.#make(perNode, `inum_range${jid}`, (file) => this.#fillJournaled(file, INUM_RANGE_BYTES));
      yield* this.#make(perNode, `statfs_change${jid}`, (file) => this.#fillJournaled(file, STATFS_BYTES));
      yield* this.#make(perNode, `quota_change${jid}`, (file) => this.#fillQuotaChange(file));
      yield* this.#make(jindex, `journal${jid}`, (file) => this.#fillJournal(file));
    }
    return { before, after: before + this.#what.count };
  }

  *#countJournals(): Task<number> {
    const { inodes } = this.#fs;
    const holder = yield* inodes.lock(this.#directories.jindex, 'SH');
    // Besides `.` and `..` every entry is a journal.
    const { entries } = this.#directories.jindex.di;
    inodes.unlock(holder);
    return entries - 2;
  }

  /** Two dinodes beside the two files with blocks (`check_fit`). */
  #checkRoom(): void {
    const { geometry } = this.#fs.core;
    const { count, journalMiB, quotaChangeMiB } = this.#what;
    const blocksOf = (mib: number): number => journalBlocks(geometry, (mib << 20) / geometry.blockSize);
    const needed = count * (2 + blocksOf(quotaChangeMiB) + blocksOf(journalMiB));
    if (needed > this.#fs.statfs.figures.free) throw new Refusal('ENOSPC');
  }

  *#make(dir: Inode, text: string, fill: (file: Inode) => Task): Task {
    const fs = this.#fs;
    const { master } = this.#directories;
    const name = nameOf(NEW_INODE);
    yield* this.#removeOld();
    const file = yield* createInode(fs, master, name, { mode: MODE.FILE | 0o600 });
    try {
      yield* fill(file);
      yield* fs.core.log.flush(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_INODE_GO_SYNC, file.glock.space);
    } finally {
      fs.inodes.put(file);
    }
    yield* renameName(fs, { dir: master, name, text: NEW_INODE }, { dir, name: nameOf(text), text });
  }

  /** What somebody left who did not come to the end. */
  *#removeOld(): Task {
    try {
      yield* unlinkName(this.#fs, this.#directories.master, nameOf(NEW_INODE), 'unlink');
    } catch (error) {
      if (!(error instanceof Refusal) || error.errno !== 'ENOENT') throw error;
    }
  }

  *#fillJournaled(file: Inode, bytes: number): Task {
    const fs = this.#fs;
    yield* this.#holding(file, function* () {
      yield* fs.core.log.transact(1, 0, function* (transaction) {
        file.di.flags = (file.di.flags | DIF.JDATA) >>> 0;
        yield* writeDinode(fs, file, transaction);
      });
      yield* writeFile(fs, file, 0, new Uint8Array(bytes));
    });
  }

  *#fillQuotaChange(file: Inode): Task {
    yield* this.#writeBlocks(file, this.#what.quotaChangeMiB, (block) => initMetaBlock(block, META_TYPE.QC));
  }

  /** A log header in every block, each saying that there is nothing to replay. */
  *#fillJournal(file: Inode): Task {
    const fs = this.#fs;
    const { headerCodec, config, geometry } = fs.core;
    const blocks = (this.#what.journalMiB << 20) / geometry.blockSize;
    const addresses: number[] = [];
    yield* this.#holding(file, function* () {
      yield* allocateRange(fs, file, 0, blocks * geometry.blockSize, true);
      while (addresses.length < blocks) {
        const { block, count } = yield* mapExtent(fs, file, addresses.length, blocks - addresses.length);
        for (let i = 0; i < count; i++) addresses.push(block + i);
      }
    });
    const first = config.prng.below(blocks);
    yield* this.#writeBlocks(file, this.#what.journalMiB, (block, blkno) => {
      const sequence = (first + blkno) % blocks;
      headerCodec.encode({ ...CLEAN_HEADER, jinode: file.addr, blkno, sequence, addr: addresses[blkno]! }, block);
    });
  }

  *#writeBlocks(file: Inode, mib: number, encode: (block: Uint8Array, lblock: number) => void): Task {
    const fs = this.#fs;
    const { blockSize } = fs.core.geometry;
    const chunk = new Uint8Array(CHUNK_BYTES);
    yield* this.#holding(file, function* () {
      for (let at = 0; at < mib << 20; at += CHUNK_BYTES) {
        for (let i = 0; i < CHUNK_BYTES; i += blockSize) encode(chunk.subarray(i, i + blockSize), (at + i) / blockSize);
        if ((yield* writeFile(fs, file, at, chunk)) < CHUNK_BYTES) throw new Refusal('ENOSPC');
      }
    });
  }

  *#holding(file: Inode, body: () => Task): Task {
    const holder = yield* this.#fs.inodes.lock(file, 'EX');
    try {
      yield* body();
    } finally {
      this.#fs.inodes.unlock(holder);
    }
  }
}
