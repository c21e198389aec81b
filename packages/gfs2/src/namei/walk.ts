import { type Task, utf8Text } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { HolderFlag } from '../glock/glock.js';
import { type Name, nameOf, searchDirectory } from '../inode/directory.js';
import type { Inode } from '../inode/inode.js';
import { checkPermission, MAY } from '../inode/permission.js';
import { isDirectory, isSymlink } from '../ondisk/dinode.js';
import { DINODE_BYTES } from '../ondisk/geometry.js';
import { Refusal } from '../refusal.js';

/** Symbolic links on one way before it counts as a loop. */
export const MAX_LINKS = 40;

/** Types of directories and symbolic links in directory entries. */
const DT_DIR = 4;
const DT_LNK = 10;

/** The parts of a path; `.` and empty ones are left out. */
function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** A directory in use, and the name in it that the path ends with. The caller puts the directory. */
export interface Parent {
  readonly dir: Inode;
  readonly name: Name;
  readonly text: string;
}

/** Follows a path to its end (`path_lookupat`). The caller puts the inode. @throws {Refusal} ENOENT, ENOTDIR, ELOOP, EACCES, … */
export function* walk(fs: FileSystem, path: string, isLastFollowed = true): Task<Inode> {
  return yield* follow(fs, yield* root(fs), partsOf(path), isLastFollowed, path.endsWith('/'));
}

/** Follows a path to the directory that holds its last name. @throws {Refusal} as `walk`; EEXIST for the root itself */
export function* walkToParent(fs: FileSystem, path: string): Task<Parent> {
  const parts = partsOf(path);
  const text = parts.pop();
  if (text === undefined) throw new Refusal('EEXIST');
  if (text === '..') throw new Refusal('EINVAL');
  const name = nameOf(text);
  return { dir: yield* follow(fs, yield* root(fs), parts, true, true), name, text };
}

function root(fs: FileSystem): Task<Inode> {
  const { addr, formalIno } = fs.core.superblock!.rootDir;
  return fs.inodes.hold(addr, formalIno);
}

function* follow(
  fs: FileSystem,
  start: Inode,
  parts: string[],
  isLastFollowed: boolean,
  mustBeDirectory: boolean,
): Task<Inode> {
  let inode = start;
  let links = 0;
  while (parts.length > 0) {
    const dir = inode;
    const text = parts.shift()!;
    let target: string | undefined;
    try {
      const step = yield* lookup(fs, dir, nameOf(text));
      inode = step.inode;
      const isOnTheWay = parts.length > 0 || mustBeDirectory;
      if (step.type === DT_LNK && (isOnTheWay || isLastFollowed)) {
        links += 1;
        target = yield* readAndPut(fs, inode);
        if (links > MAX_LINKS) throw new Refusal('ELOOP');
      } else if (isOnTheWay && step.type !== DT_DIR) {
        fs.inodes.put(inode);
        throw new Refusal('ENOTDIR');
      }
    } finally {
      if (target === undefined || links > MAX_LINKS || target.startsWith('/')) fs.inodes.put(dir);
    }
    if (target === undefined) continue;
    parts.unshift(...partsOf(target));
    inode = target.startsWith('/') ? yield* root(fs) : dir;
  }
  return inode;
}

function* readAndPut(fs: FileSystem, link: Inode): Task<string> {
  try {
    return yield* readLink(fs, link);
  } finally {
    fs.inodes.put(link);
  }
}

/** Looks one name up in a directory in use and takes what it finds into use. @throws {Refusal} ENOENT, ENOTDIR, EACCES */
export function* lookup(fs: FileSystem, dir: Inode, name: Name): Task<{ inode: Inode; type: number }> {
  const entry = yield* lookupEntry(fs, dir, name);
  if (entry === undefined) throw new Refusal('ENOENT');
  try {
    return { inode: yield* fs.inodes.hold(entry.addr, entry.formalIno), type: entry.type };
  } catch (error) {
    // It was deleted between the two locks.
    if (error instanceof Refusal && error.errno === 'ESTALE') throw new Refusal('ENOENT');
    throw error;
  }
}

function* lookupEntry(fs: FileSystem, dir: Inode, name: Name) {
  const holder = yield* fs.inodes.lock(dir, 'SH');
  try {
    if (!isDirectory(dir.di)) throw new Refusal('ENOTDIR');
    checkPermission(fs, dir, MAY.EXEC);
    return yield* searchDirectory(fs, dir, name);
  } finally {
    fs.inodes.unlock(holder);
  }
}

/** What a symbolic link says. @throws {Refusal} EINVAL when it is none */
export function* readLink(fs: FileSystem, inode: Inode): Task<string> {
  const holder = yield* fs.inodes.lock(inode, 'SH', HolderFlag.ANY);
  try {
    if (!isSymlink(inode.di)) throw new Refusal('EINVAL');
    const { data } = yield* fs.inodes.dinodeBuffer(inode);
    return utf8Text(data, DINODE_BYTES, DINODE_BYTES + inode.di.size);
  } finally {
    fs.inodes.unlock(holder);
  }
}
