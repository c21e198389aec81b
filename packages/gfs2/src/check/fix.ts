import type { BlockState } from '../bitmap.js';
import type { Dinode } from '../ondisk/dinode.js';
import type { RindexEntry } from '../ondisk/rindex.js';
import type { Inum } from '../ondisk/superblock.js';

/** Where a directory entry stands. */
export interface EntryPlace {
  readonly block: number;
  /** First record of that block. */
  readonly start: number;
  readonly offset: number;
}

/** A name that is to be entered into a directory again. */
export interface PendingEntry {
  /** Block of the directory; undefined: lost+found, under a name that is made up. */
  readonly dir: number | undefined;
  readonly name: Uint8Array;
  readonly formalIno: number;
  readonly addr: number;
  readonly type: number;
}

/** A block of a file's data that is to have a place of its own again. */
export interface PendingCopy {
  readonly addr: number;
  readonly lblock: number;
  readonly bytes: Uint8Array;
}

/** What needs blocks, and so waits until the bitmaps are right. */
export interface PendingWork {
  readonly entries: PendingEntry[];
  readonly copies: PendingCopy[];
}

/** What a fix can do to an image. Bytes are lent. */
export interface Fixer {
  readonly root: Inum;
  patch(block: number, change: (bytes: Uint8Array, view: DataView) => void): void;
  patchDinode(addr: number, change: (dinode: Dinode) => void): void;
  /** Sets the state of a block in its bitmap. What hung on a dinode that is free is found to be free then. */
  setState(block: number, state: BlockState): void;
  /** Makes a block part of a resource group again; dinodes that are found among its blocks become such in the bitmap. */
  restoreBitmap(rindex: RindexEntry, index: number): void;
  /** Removes pointers to those blocks from the tree of an inode. */
  dropPointers(addr: number, blocks: ReadonlySet<number>): void;
  /**
   * Removes the pointer of a file to `block` at `lblock`, if it is there. The data gets a block of its own later, as that one has been
   * claimed by something else, or by an earlier place of this file.
   */
  pendCopy(addr: number, lblock: number, block: number): void;
  /** Makes an inode one without extended attributes. */
  dropXattrs(addr: number): void;
  removeEntry(place: EntryPlace): void;
  /** Makes the entry mean another inode. */
  retarget(place: EntryPlace, target: Inum): void;
  /** Enters the name later, when the bitmaps are right. */
  pend(entry: PendingEntry): void;
  /** Gives a nameless inode a name in lost+found. */
  adopt(dinode: Dinode): void;
  /** Empties a directory; the names that can still be read are entered again. */
  rebuildDirectory(addr: number): void;
  /** Looks for resource groups, and makes `rindex` say where they are if none is lost by that. */
  rebuildRindex(rindex: Dinode, held: readonly RindexEntry[]): void;
  /** Makes the records of users and groups say that they have so many blocks. Everything else must be right. */
  setQuotas(values: ReadonlyMap<number, number>): void;
  /** Replays a journal; one that cannot be replayed becomes an empty one, and so does one that is not to be `replayed`. */
  cleanJournal(addr: number, blocks: readonly number[], how: 'replay' | 'reset'): void;
}

/** A change that makes a finding go away, or a step towards it. */
export type Fix = (fixer: Fixer) => void;
