import { getU64, setU64, type Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import type { Transaction } from '../log/log.js';
import { DIF } from '../ondisk/dinode.js';
import { type Dirent, encodeDirent, type NewDirent } from '../ondisk/dirent.js';
import { canInsert, deleteDirent, insertDirent, isEmpty, listDirents } from '../ondisk/dirent-block.js';
import { DINODE_BYTES, MAX_DIR_DEPTH } from '../ondisk/geometry.js';
import { decodeLeaf, encodeLeaf, LEAF_BYTES, type Leaf } from '../ondisk/leaf.js';
import { initMetaBlock, isMetaBlock, META_HEADER_BYTES, META_TYPE } from '../ondisk/meta-header.js';
import { heightFor } from '../ondisk/metadata-tree.js';
import type { Inode } from './inode.js';
import { allocExtent, growHeight, mapExtent, newMetaBlock, type TreeChange, unstuff } from './tree.js';

/** A leaf in memory. */
export interface LeafRef {
  readonly buffer: Buffer;
  readonly header: Leaf;
}

/** Reads a leaf of the directory. @throws {Refusal} EIO */
export function* readLeaf(fs: FileSystem, dir: Inode, block: number): Task<LeafRef> {
  const buffer = yield* fs.core.cache.read(dir.glock.space, block);
  const header = decodeLeaf(buffer.data);
  if (header === undefined) fs.core.inconsistent(`block ${block} of directory ${dir.addr} is not a leaf`);
  return { buffer, header };
}

/** The leaf in which names with that hash are. */
export function* readTableEntry(fs: FileSystem, dir: Inode, hash: number): Task<number> {
  const table = yield* tablePlace(fs, dir, 8 * indexOf(dir, hash));
  return getU64(table.buffer.view, table.at);
}

/** Every leaf of the directory once, chains included. */
export function* leafBlocks(fs: FileSystem, dir: Inode): Task<number[]> {
  const blocks: number[] = [];
  for (const first of distinct(yield* readTable(fs, dir))) blocks.push(...(yield* chainBlocks(fs, dir, first)));
  return blocks;
}

/** The leaves of one chain. */
export function* chainBlocks(fs: FileSystem, dir: Inode, first: number): Task<number[]> {
  const blocks: number[] = [];
  yield* findInChain(fs, dir, first, ({ buffer }) => {
    blocks.push(buffer.block);
  });
  return blocks;
}

/** Goes along a chain of leaves until `find` gives something. A chain that leads back into itself is damage. */
export function* findInChain<T>(
  fs: FileSystem,
  dir: Inode,
  first: number,
  find: (leaf: LeafRef) => T | undefined | void,
): Task<T | undefined> {
  const visited = new Set<number>();
  for (let block = first; block !== 0; ) {
    if (visited.has(block)) return fs.core.inconsistent(`directory ${dir.addr}: leaf ${block} is in its chain twice`);
    visited.add(block);
    const leaf = yield* readLeaf(fs, dir, block);
    const found = find(leaf);
    if (found !== undefined) return found;
    block = leaf.header.next;
  }
  return undefined;
}

/** The whole hash table. */
export function* readTable(fs: FileSystem, dir: Inode): Task<number[]> {
  const table: number[] = [];
  for (let index = 0; index < 2 ** dir.di.depth; index++) {
    const { buffer, at } = yield* tablePlace(fs, dir, 8 * index);
    table.push(getU64(buffer.view, at));
  }
  return table;
}

/** Entries of a table that follow each other and are equal count once. */
export function distinct(table: readonly number[]): number[] {
  return table.filter((block, i) => block !== 0 && block !== table[i - 1]);
}

/** Turns a linear directory into an exhash directory with one leaf (`dir_make_exhash`). */
export function* makeExhash(change: TreeChange): Task {
  const { fs, inode: dir, transaction } = change;
  const { geometry, log } = fs.core;
  const dinode = yield* fs.inodes.dinodeBuffer(dir);
  const leaf = newLeaf(change, 0, 1);
  leaf.data.set(dinode.data.subarray(DINODE_BYTES), LEAF_BYTES);
  // The leaf has more room than the dinode had; its last record takes it.
  const last = listDirents(leaf.data.subarray(0, geometry.blockSize - (DINODE_BYTES - LEAF_BYTES)), LEAF_BYTES)?.at(-1);
  if (last === undefined) return fs.core.inconsistent(`directory ${dir.addr}: broken records`);
  leaf.view.setUint16(last.offset + 20, last.recLen + DINODE_BYTES - LEAF_BYTES);
  leaf.view.setUint16(26, dir.di.entries);
  const { di } = dir;
  di.flags = (di.flags | DIF.EXHASH) >>> 0;
  di.payloadFormat = 0;
  di.size = geometry.hashBlockSize;
  di.depth = 31 - Math.clz32(geometry.hashBlockSize / 8);
  log.addMeta(transaction, dinode);
  dinode.data.fill(0, DINODE_BYTES);
  for (let at = 0; at < di.size; at += 8) setU64(dinode.view, DINODE_BYTES + at, leaf.block);
}

/** Adds an entry to an exhash directory: splits leaves, doubles the table or chains a leaf until there is room. */
export function* addToExhash(change: TreeChange, hash: number, dirent: NewDirent): Task {
  const { fs, inode: dir } = change;
  for (;;) {
    if (yield* insertIntoChain(change, hash, dirent)) return;
    if (yield* splitLeaf(change, hash)) continue;
    if (dir.di.depth < MAX_DIR_DEPTH) {
      yield* doubleTable(change);
      if (yield* splitLeaf(change, hash)) continue;
      fs.core.inconsistent(`directory ${dir.addr}: a leaf is deeper than its table`);
    }
    yield* chainLeaf(change, hash);
  }
}

function indexOf(dir: Inode, hash: number): number {
  return hash >>> (32 - dir.di.depth);
}

/** Block and byte of the table's byte `offset`. */
function* tablePlace(fs: FileSystem, dir: Inode, offset: number): Task<{ buffer: Buffer; at: number }> {
  if (dir.di.height === 0) return { buffer: yield* fs.inodes.dinodeBuffer(dir), at: DINODE_BYTES + offset };
  const { jbsize } = fs.core.geometry;
  const { block } = yield* mapExtent(fs, dir, Math.floor(offset / jbsize), 1);
  if (block === 0) fs.core.inconsistent(`directory ${dir.addr}: its hash table has a hole`);
  const buffer = yield* fs.core.cache.read(dir.glock.space, block);
  if (!isMetaBlock(buffer.data, META_TYPE.JD)) fs.core.inconsistent(`block ${block} is not part of a hash table`);
  return { buffer, at: META_HEADER_BYTES + (offset % jbsize) };
}

function newLeaf(change: TreeChange, depth: number, dist: number): Buffer {
  const { fs, inode: dir } = change;
  const buffer = newMetaBlock(change, META_TYPE.LF);
  const { sec, nsec } = fs.core.wall();
  encodeLeaf({ depth, entries: 0, next: 0, inode: dir.addr, dist, sec, nsec }, buffer.data);
  buffer.view.setUint16(LEAF_BYTES + 20, buffer.data.length - LEAF_BYTES);
  return buffer;
}

function* insertIntoChain(change: TreeChange, hash: number, dirent: NewDirent): Task<boolean> {
  const { fs, inode: dir, transaction } = change;
  const leaf = yield* findInChain(fs, dir, yield* readTableEntry(fs, dir, hash), (leaf) =>
    canInsert(leaf.buffer.data, LEAF_BYTES, dirent.name.length) ? leaf : undefined,
  );
  if (leaf === undefined) return false;
  const { buffer, header } = leaf;
  fs.core.log.addMeta(transaction, buffer);
  insertDirent(buffer.data, LEAF_BYTES, dirent);
  const { sec, nsec } = fs.core.wall();
  encodeLeaf({ ...header, entries: header.entries + 1, sec, nsec }, buffer.data);
  return true;
}

/** Gives the lower half of a leaf's hashes a leaf of their own (`dir_split_leaf`); false when it is as deep as the table. */
function* splitLeaf(change: TreeChange, hash: number): Task<boolean> {
  const { fs, inode: dir, transaction } = change;
  const { depth } = dir.di;
  const old = yield* readLeaf(fs, dir, yield* readTableEntry(fs, dir, hash));
  if (old.header.depth >= depth) return false;
  const fresh = newLeaf(change, old.header.depth + 1, 1);
  const length = 2 ** (depth - old.header.depth);
  const start = indexOf(dir, hash) & ~(length - 1);
  yield* writeTable(fs, dir, transaction, start, start + length / 2, fresh.block);
  fs.core.log.addMeta(transaction, old.buffer);
  const moved = moveBelow(old.buffer, fresh, (start + length / 2) * 2 ** (32 - depth));
  encodeLeaf({ ...old.header, depth: old.header.depth + 1, entries: old.header.entries - moved }, old.buffer.data);
  fresh.view.setUint16(26, moved);
  return true;
}

/** Moves the entries with hashes below `divider`, each to the same byte of the new leaf: readdir's cookies rely on it. */
function moveBelow(old: Buffer, fresh: Buffer, divider: number): number {
  let moved = 0;
  let lastAt = LEAF_BYTES;
  for (const dirent of listDirents(old.data, LEAF_BYTES) ?? []) {
    if (isEmpty(dirent) || dirent.hash >= divider) continue;
    if (dirent.offset > lastAt) fresh.view.setUint16(lastAt + 20, dirent.offset - lastAt);
    copyDirent(dirent, fresh);
    lastAt = dirent.offset;
    deleteDirent(old.data, LEAF_BYTES, dirent.offset);
    moved += 1;
  }
  return moved;
}

function copyDirent(dirent: Dirent, to: Buffer): void {
  encodeDirent(dirent, dirent.hash, to.data.length - dirent.offset, to.data, dirent.offset);
}

/** Makes the entries [from, to) of the hash table lead to `block`. */
export function* writeTable(
  fs: FileSystem,
  dir: Inode,
  transaction: Transaction,
  from: number,
  to: number,
  block: number,
): Task {
  for (let index = from; index < to; index++) {
    const { buffer, at } = yield* tablePlace(fs, dir, 8 * index);
    fs.core.log.addMeta(transaction, buffer);
    setU64(buffer.view, at, block);
  }
}

/** Doubles the hash table, each entry twice (`dir_double_exhash`). Beyond the dinode it lives in blocks of its own. */
function* doubleTable(change: TreeChange): Task {
  const { fs, inode: dir, transaction } = change;
  const { geometry } = fs.core;
  const table = yield* readTable(fs, dir);
  const size = 16 * table.length;
  if (dir.di.height === 0 && size > geometry.maxStuffed) yield* unstuff(change);
  const height = heightFor(geometry, size, geometry.jbsize);
  if (dir.di.height > 0 && dir.di.height < height) yield* growHeight(change, height);
  if (dir.di.height > 0) yield* allocTable(change, Math.ceil(size / geometry.jbsize));
  dir.di.size = size;
  dir.di.depth += 1;
  for (const [i, block] of table.entries()) yield* writeTable(fs, dir, transaction, 2 * i, 2 * i + 2, block);
}

function* allocTable(change: TreeChange, blocks: number): Task {
  const { fs, inode: dir, transaction } = change;
  for (let lblock = 0; lblock < blocks; ) {
    const extent = yield* allocExtent(change, lblock, blocks - lblock);
    for (let i = 0; extent.isNew && i < extent.count; i++) {
      const buffer = fs.core.cache.create(dir.glock.space, extent.block + i);
      fs.core.log.addMeta(transaction, buffer);
      initMetaBlock(buffer.data, META_TYPE.JD);
    }
    lblock += extent.count;
  }
}

/** Appends a leaf to a chain that can no longer be split (`dir_new_leaf`). */
function* chainLeaf(change: TreeChange, hash: number): Task {
  const { fs, inode: dir, transaction } = change;
  const chain = yield* chainBlocks(fs, dir, yield* readTableEntry(fs, dir, hash));
  const last = yield* readLeaf(fs, dir, chain.at(-1) ?? 0);
  const fresh = newLeaf(change, last.header.depth, chain.length + 1);
  fs.core.log.addMeta(transaction, last.buffer);
  encodeLeaf({ ...last.header, next: fresh.block }, last.buffer.data);
}
