import type { Dinode } from '../ondisk/dinode.js';
import type { EntryPlace } from './fix.js';

/** An inode that was found, and what leads to it. */
export interface CheckedInode {
  readonly dinode: Dinode;
  readonly isUnlinked: boolean;
  /** Directory entries that name it, `.` and `..` included. */
  links: number;
  /** Directories only: the directory with an entry for it, and where its own `..` leads. 0 when there is none. */
  parent: number;
  dotdot: number;
  /** Where those two entries stand. */
  nameAt: EntryPlace | undefined;
  dotdotAt: EntryPlace | undefined;
}

/** All inodes of an image by their block. */
export type CheckedInodes = ReadonlyMap<number, CheckedInode>;
