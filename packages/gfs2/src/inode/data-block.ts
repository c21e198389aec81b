import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import type { Transaction } from '../log/log.js';
import { DIF } from '../ondisk/dinode.js';
import type { Inode } from './inode.js';

/** Whether the inode's data goes through the journal. */
export function isJournaled(inode: Inode): boolean {
  return (inode.di.flags & DIF.JDATA) !== 0;
}

/** A block of file data is changed: it goes into the journal, or to its place before the next commit. */
export function addFileData(fs: FileSystem, inode: Inode, transaction: Transaction, buffer: Buffer): void {
  if (isJournaled(inode)) fs.core.log.addData(transaction, buffer);
  else fs.core.log.addOrdered(buffer);
}
