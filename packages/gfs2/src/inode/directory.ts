import { type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import type { Transaction } from '../log/log.js';
import { DIF } from '../ondisk/dinode.js';
import { type Dirent, direntHash, direntSize, type NewDirent } from '../ondisk/dirent.js';
import { canInsert, deleteDirent, findDirent, insertDirent, isEmpty, listDirents } from '../ondisk/dirent-block.js';
import { DINODE_BYTES, type Geometry, MAX_DIR_DEPTH, MAX_NAME_BYTES } from '../ondisk/geometry.js';
import { encodeLeaf, LEAF_BYTES } from '../ondisk/leaf.js';
import { heightFor, indirectBlocksFor } from '../ondisk/metadata-tree.js';
import { Refusal } from '../refusal.js';
import { addToExhash, findInChain, type LeafRef, leafBlocks, makeExhash, readLeaf, readTableEntry } from './exhash.js';
import type { Inode } from './inode.js';
import { type TreeChange, writeDinode } from './tree.js';

/** A name in its two forms. */
export interface Name {
  readonly bytes: Uint8Array;
  readonly hash: number;
}

/** @throws {Refusal} ENAMETOOLONG */
export function nameOf(text: string): Name {
  const bytes = utf8Bytes(text);
  if (bytes.length > MAX_NAME_BYTES) throw new Refusal('ENAMETOOLONG');
  return { bytes, hash: direntHash(bytes) };
}

export function isExhash(dir: Inode): boolean {
  return (dir.di.flags & DIF.EXHASH) !== 0;
}

/** What a directory says under a name. */
export interface Entry {
  readonly name: string;
  readonly formalIno: number;
  readonly addr: number;
  readonly type: number;
  readonly hash: number;
}

/** Where an entry stands: its block, and the record in it. */
interface Place {
  readonly buffer: Buffer;
  /** Byte of the first record of the block. */
  readonly start: number;
  readonly dirent: Dirent;
  readonly leaf: LeafRef | undefined;
}

/** Looks a name up (`gfs2_dir_search`). The caller holds the directory's glock. */
export function* searchDirectory(fs: FileSystem, dir: Inode, name: Name): Task<Entry | undefined> {
  const place = yield* findPlace(fs, dir, name);
  return place === undefined ? undefined : entryOf(place.dirent);
}

/** All entries, `.` and `..` included, in the order of their hashes (`gfs2_dir_read`). */
export function* listDirectory(fs: FileSystem, dir: Inode): Task<Entry[]> {
  const entries: Entry[] = [];
  if (isExhash(dir)) {
    for (const block of yield* leafBlocks(fs, dir))
      takeEntries(fs, dir, (yield* readLeaf(fs, dir, block)).buffer, LEAF_BYTES, entries);
  } else takeEntries(fs, dir, yield* fs.inodes.dinodeBuffer(dir), DINODE_BYTES, entries);
  return entries.sort((a, b) => a.hash - b.hash || a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
}

/** Blocks that a new entry of that name may need (`gfs2_diradd_alloc_required`); 0 if a record fits. */
export function* blocksForEntry(fs: FileSystem, dir: Inode, name: Name): Task<number> {
  const { geometry } = fs.core;
  if (!isExhash(dir)) {
    const { data } = yield* fs.inodes.dinodeBuffer(dir);
    if (canInsert(data, DINODE_BYTES, name.bytes.length)) return 0;
    // What the dinode has more of in front of the records than a leaf is room for it.
    return direntSize(name.bytes.length) < DINODE_BYTES - LEAF_BYTES ? 1 : maxDirres(geometry);
  }
  const first = yield* readTableEntry(fs, dir, name.hash);
  const hasRoom = ({ buffer }: LeafRef) => canInsert(buffer.data, LEAF_BYTES, name.bytes.length) || undefined;
  return (yield* findInChain(fs, dir, first, hasRoom)) ? 0 : maxDirres(geometry);
}

/** The most blocks that one entry can take: a table of the largest depth, its indirect blocks, and leaves (`sd_max_dirres`). */
function maxDirres(geometry: Geometry): number {
  const bytes = 8 * 2 ** MAX_DIR_DEPTH;
  const table = Math.ceil(bytes / geometry.jbsize);
  const height = heightFor(geometry, bytes, geometry.jbsize);
  return table + indirectBlocksFor(geometry, table, height) + 2 + MAX_DIR_DEPTH;
}

/** Adds an entry (`gfs2_dir_add`). The grant covers `blocksForEntry`; the caller counts links and writes the dinode. */
export function* addEntry(change: TreeChange, name: Name, dirent: NewDirent): Task {
  const { fs, inode: dir, transaction } = change;
  const { log } = fs.core;
  const buffer = yield* fs.inodes.dinodeBuffer(dir);
  if (!isExhash(dir) && canInsert(buffer.data, DINODE_BYTES, name.bytes.length)) {
    log.addMeta(transaction, buffer);
    insertDirent(buffer.data, DINODE_BYTES, dirent);
  } else {
    if (!isExhash(dir)) yield* makeExhash(change);
    yield* addToExhash(change, name.hash, dirent);
  }
  dir.di.entries += 1;
}

/** Removes an entry (`gfs2_dir_del`); the caller counts links and writes the dinode. */
export function* removeEntry(fs: FileSystem, dir: Inode, transaction: Transaction, name: Name): Task {
  const place = yield* findPlace(fs, dir, name);
  if (place === undefined) fs.core.inconsistent(`directory ${dir.addr} has lost an entry`);
  const { buffer, start, dirent, leaf } = place;
  fs.core.log.addMeta(transaction, buffer);
  deleteDirent(buffer.data, start, dirent.offset);
  if (leaf !== undefined) {
    const { sec, nsec } = fs.core.wall();
    encodeLeaf({ ...leaf.header, entries: leaf.header.entries - 1, sec, nsec }, buffer.data);
  }
  dir.di.entries -= 1;
}

/** Makes an entry mean another inode (`gfs2_dir_mvino`). */
export function* replaceEntry(
  fs: FileSystem,
  dir: Inode,
  transaction: Transaction,
  name: Name,
  target: Pick<NewDirent, 'formalIno' | 'addr' | 'type'>,
): Task {
  const place = yield* findPlace(fs, dir, name);
  if (place === undefined) fs.core.inconsistent(`directory ${dir.addr} has lost an entry`);
  fs.core.log.addMeta(transaction, place.buffer);
  setInum(place, target);
  yield* writeDinode(fs, dir, transaction);
}

function setInum({ buffer, dirent }: Place, target: Pick<NewDirent, 'formalIno' | 'addr' | 'type'>): void {
  const { view } = buffer;
  view.setUint32(dirent.offset, Math.floor(target.formalIno / 2 ** 32));
  view.setUint32(dirent.offset + 4, target.formalIno >>> 0);
  view.setUint32(dirent.offset + 8, Math.floor(target.addr / 2 ** 32));
  view.setUint32(dirent.offset + 12, target.addr >>> 0);
  view.setUint16(dirent.offset + 24, target.type);
}

function* findPlace(fs: FileSystem, dir: Inode, name: Name): Task<Place | undefined> {
  if (!isExhash(dir)) {
    const buffer = yield* fs.inodes.dinodeBuffer(dir);
    const dirent = findDirent(buffer.data, DINODE_BYTES, name.bytes, name.hash);
    return dirent === undefined ? undefined : { buffer, start: DINODE_BYTES, dirent, leaf: undefined };
  }
  const first = yield* readTableEntry(fs, dir, name.hash);
  return yield* findInChain<Place>(fs, dir, first, (leaf) => {
    const { buffer } = leaf;
    const dirent = findDirent(buffer.data, LEAF_BYTES, name.bytes, name.hash);
    return dirent && { buffer, start: LEAF_BYTES, dirent, leaf };
  });
}

function takeEntries(fs: FileSystem, dir: Inode, buffer: Buffer, start: number, entries: Entry[]): void {
  const dirents = listDirents(buffer.data, start);
  if (dirents === undefined) fs.core.inconsistent(`directory ${dir.addr}: broken record in block ${buffer.block}`);
  for (const dirent of dirents) if (!isEmpty(dirent)) entries.push(entryOf(dirent));
}

function entryOf({ name, formalIno, addr, type, hash }: Dirent): Entry {
  return { name: utf8Text(name), formalIno, addr, type, hash };
}
