import type { Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { listDirectory } from '../inode/directory.js';
import { checkPermission, MAY } from '../inode/permission.js';
import { touchAtime } from '../inode/touch-atime.js';
import { createInode, type NewInode } from '../namei/create.js';
import { linkInode } from '../namei/link.js';
import { renameName } from '../namei/rename.js';
import { type UnlinkKind, unlinkName } from '../namei/unlink.js';
import { type Parent, walkToParent } from '../namei/walk.js';
import { isDirectory } from '../ondisk/dinode.js';
import { Refusal } from '../refusal.js';
import { lookupPath, typeOf, withInode, withPath } from './file-calls.js';
import type { DirectoryEntry } from './operation.js';

/** Makes anything but a regular file that is to be opened. */
export function* make(fs: FileSystem, path: string, what: NewInode): Task<undefined> {
  const { dir, name } = yield* walkToParent(fs, path);
  try {
    fs.inodes.put(yield* createInode(fs, dir, name, what));
  } finally {
    fs.inodes.put(dir);
  }
  return undefined;
}

export function* remove(fs: FileSystem, path: string, kind: UnlinkKind): Task<undefined> {
  const { dir, name } = yield* walkToParent(fs, path);
  try {
    yield* unlinkName(fs, dir, name, kind);
  } finally {
    fs.inodes.put(dir);
  }
  return undefined;
}

export function* rename(fs: FileSystem, fromPath: string, toPath: string): Task<undefined> {
  const from = yield* walkToParent(fs, fromPath);
  let to: Parent | undefined;
  try {
    to = yield* walkToParent(fs, toPath);
    yield* renameName(fs, from, to);
  } finally {
    fs.inodes.put(from.dir);
    if (to !== undefined) fs.inodes.put(to.dir);
  }
  return undefined;
}

export function* link(fs: FileSystem, fromPath: string, toPath: string): Task<undefined> {
  const inode = yield* lookupPath(fs, fromPath);
  try {
    const { dir, name } = yield* walkToParent(fs, toPath);
    try {
      yield* linkInode(fs, inode, dir, name);
    } finally {
      fs.inodes.put(dir);
    }
  } finally {
    fs.inodes.put(inode);
  }
  return undefined;
}

export function* readDirectory(fs: FileSystem, path: string): Task<readonly DirectoryEntry[]> {
  return yield* withPath(fs, { path }, function* (inode) {
    const entries = yield* withInode(fs, inode, 'SH', () => {
      if (!isDirectory(inode.di)) throw new Refusal('ENOTDIR');
      checkPermission(fs, inode, MAY.READ);
      return listDirectory(fs, inode);
    });
    yield* touchAtime(fs, inode);
    return entries
      .filter(({ name }) => name !== '.' && name !== '..')
      .map(({ name, addr, type }) => ({ name, inode: addr, type: typeOf(type << 12) }));
  });
}
