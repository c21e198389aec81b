import { getU64, setU64, type Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { Core } from '../core.js';
import { HolderFlag } from '../glock/glock.js';
import type { Transaction } from '../log/log.js';
import { decodeInumRange, encodeInumRange, type InumRange } from '../ondisk/accounting.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import type { Inode } from './inode.js';
import type { Inodes } from './inodes.js';

/** Numbers that a node takes from the common pool at a time (`GFS2_INUM_QUANTUM`). */
const QUANTUM = 0x100000;

/** The files that formal inode numbers come from. */
export interface InumFiles {
  /** Next number that no node has taken; for all nodes. */
  readonly inum: Inode;
  /** This node's share, held EX. */
  readonly inumRange: Inode;
}

/**
 * Where the formal numbers of new inodes come from: newer kernels take the generation that the resource group gives, RHEL 6 a
 * number out of a range of this node.
 *
 * Source: Linux 2.6.32 fs/gfs2/inode.c, `pick_formal_ino`.
 */
export class FormalNumbers {
  readonly #core: Core;
  readonly #inodes: Inodes;
  #files: InumFiles | undefined;

  constructor(core: Core, inodes: Inodes) {
    this.#core = core;
    this.#inodes = inodes;
  }

  /** Uses the ranges of RHEL 6. The caller has `inumRange` locked EX and keeps it. */
  *open(files: InumFiles): Task {
    this.#files = files;
    (yield* this.#inodes.dinodeBuffer(files.inumRange)).isKept = true;
  }

  /** Blocks that giving out a number changes. */
  get blocks(): number {
    return this.#files === undefined ? 0 : 1;
  }

  /** Sees to it that there is a number to give out. To be called before the transaction. */
  *prepare(): Task {
    const files = this.#files;
    if (files === undefined || rangeIn(files.inumRange).length > 0) return;
    const holder = yield* this.#inodes.lock(files.inum, 'EX', HolderFlag.NOCACHE);
    try {
      const pool = yield* this.#inodes.dinodeBuffer(files.inum);
      yield* this.#core.log.transact(2, 0, (transaction) => this.#refill(files, pool, transaction));
    } finally {
      this.#inodes.unlock(holder);
    }
  }

  /** The formal number of a new inode. */
  take(generation: number, transaction: Transaction): number {
    if (this.#files === undefined) return generation;
    const { start, length } = rangeIn(this.#files.inumRange);
    const buffer = this.#files.inumRange.buffer!;
    this.#core.log.addMeta(transaction, buffer);
    encodeInumRange({ start: start + 1, length: length - 1 }, buffer.data, DINODE_BYTES);
    return start;
  }

  *#refill({ inumRange }: InumFiles, pool: Buffer, transaction: Transaction): Task {
    const range = inumRange.buffer!;
    const start = getU64(pool.view, DINODE_BYTES);
    this.#core.log.addMeta(transaction, pool);
    this.#core.log.addMeta(transaction, range);
    setU64(pool.view, DINODE_BYTES, start + QUANTUM);
    encodeInumRange({ start, length: QUANTUM }, range.data, DINODE_BYTES);
  }
}

function rangeIn(inode: Inode): InumRange {
  return decodeInumRange(inode.buffer!.data, DINODE_BYTES);
}
