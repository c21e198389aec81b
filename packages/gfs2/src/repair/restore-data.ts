import type { Task } from '@quorate/kernel';
import type { PendingCopy } from '../check/fix.js';
import type { FileSystem } from '../filesystem.js';
import { writeFile } from '../inode/write-file.js';
import { Refusal } from '../refusal.js';

/** Gives files blocks of their own for data that they had in a block of somebody else (`clone_data`). */
export function* restoreData(fs: FileSystem, copies: readonly PendingCopy[]): Task {
  for (const copy of copies) {
    try {
      yield* restore(fs, copy);
    } catch (error) {
      // Without room, or when the file has gone, there is a hole.
      if (!(error instanceof Refusal)) throw error;
    }
  }
}

function* restore(fs: FileSystem, { addr, lblock, bytes }: PendingCopy): Task {
  const inode = yield* fs.inodes.hold(addr, 0);
  try {
    const holder = yield* fs.inodes.lock(inode, 'EX');
    try {
      const start = lblock * fs.core.geometry.blockSize;
      const length = Math.min(bytes.length, inode.di.size - start);
      if (length > 0) yield* writeFile(fs, inode, start, bytes.subarray(0, length));
    } finally {
      fs.inodes.unlock(holder);
    }
  } finally {
    fs.inodes.put(inode);
  }
}
