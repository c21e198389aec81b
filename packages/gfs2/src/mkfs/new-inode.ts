import type { Dinode } from '../ondisk/dinode.js';

/** An inode that is being made: its dinode, what is behind it in its block, and its indirect blocks or leaves. */
export interface NewInode {
  readonly di: Dinode;
  readonly block: Uint8Array;
  readonly indirect: Map<number, Uint8Array>;
}
