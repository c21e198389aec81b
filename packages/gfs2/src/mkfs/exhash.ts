import { ConfigError, getU64, setU64, viewOf } from '@quorate/kernel';
import { DIF } from '../ondisk/dinode.js';
import { direntHash, type NewDirent } from '../ondisk/dirent.js';
import { deleteDirent, hashIndex, initDirents, insertDirent, isEmpty, listDirents } from '../ondisk/dirent-block.js';
import { DINODE_BYTES, type Geometry } from '../ondisk/geometry.js';
import { decodeLeaf, encodeLeaf, LEAF_BYTES } from '../ondisk/leaf.js';
import type { NewInode } from './new-inode.js';

/**
 * Enters names into a directory that outgrew its dinode, which happens to `jindex` and `per_node` when there are many
 * journals or small blocks. The hash table stays in the dinode; leaves are blocks of the inode like indirect ones.
 */
export class ExhashDirectory {
  readonly #geometry: Geometry;
  readonly #dir: NewInode;
  readonly #takeBlock: () => number;

  /** `takeBlock` gives a block to the directory. */
  constructor(geometry: Geometry, dir: NewInode, takeBlock: () => number) {
    this.#geometry = geometry;
    this.#dir = dir;
    this.#takeBlock = takeBlock;
  }

  /** Turns the full linear directory into an exhash directory with one leaf (`dir_make_exhash`). */
  convert(): void {
    const { di, block } = this.#dir;
    const { hashBlockSize } = this.#geometry;
    const entries = listDirents(block, DINODE_BYTES) ?? [];
    const [addr, leaf] = this.#newLeaf(0);
    leaf.set(block.subarray(DINODE_BYTES), LEAF_BYTES);
    // The leaf has more room than the dinode had; its last record takes it.
    const last = entries.at(-1)!;
    const grown = DINODE_BYTES - LEAF_BYTES;
    viewOf(leaf).setUint16(last.offset - grown + 20, last.recLen + grown);
    encodeLeaf({ ...decodeLeaf(leaf)!, entries: entries.length }, leaf);
    block.fill(0, DINODE_BYTES);
    for (let at = 0; at < hashBlockSize; at += 8) setU64(viewOf(block), DINODE_BYTES + at, addr);
    di.flags = (di.flags | DIF.EXHASH) >>> 0;
    di.payloadFormat = 0;
    di.size = hashBlockSize;
    di.depth = 31 - Math.clz32(hashBlockSize / 8);
  }

  /** @throws {ConfigError} when the hash table would have to be doubled: nobody has that many nodes. */
  add(entry: NewDirent): void {
    const index = hashIndex(direntHash(entry.name), this.#dir.di.depth);
    for (;;) {
      const leaf = this.#dir.indirect.get(this.#pointer(index))!;
      if (this.#insert(leaf, entry)) return;
      const { depth } = decodeLeaf(leaf)!;
      if (depth === this.#dir.di.depth) {
        throw new ConfigError('-j', 'more journals', `what a directory of ${leaf.length}-byte blocks holds`);
      }
      this.#split(leaf, index, depth);
    }
  }

  /** The lower half of a leaf's hashes get a leaf of their own, the others stay where they are (`dir_split_leaf`). */
  #split(leaf: Uint8Array, index: number, depth: number): void {
    const span = 2 ** (this.#dir.di.depth - depth);
    const start = index - (index % span);
    const entries = (listDirents(leaf, LEAF_BYTES) ?? []).filter((entry) => !isEmpty(entry));
    const [addr, lower] = this.#newLeaf(depth + 1);
    const moved = entries.filter(({ hash }) => hashIndex(hash, this.#dir.di.depth) < start + span / 2);
    for (const entry of moved) {
      this.#insert(lower, entry);
      deleteDirent(leaf, LEAF_BYTES, entry.offset);
    }
    encodeLeaf({ ...decodeLeaf(leaf)!, depth: depth + 1, entries: entries.length - moved.length }, leaf);
    for (let i = start; i < start + span / 2; i++) setU64(viewOf(this.#dir.block), DINODE_BYTES + 8 * i, addr);
  }

  #insert(leaf: Uint8Array, entry: NewDirent): boolean {
    if (!insertDirent(leaf, LEAF_BYTES, entry)) return false;
    const header = decodeLeaf(leaf)!;
    encodeLeaf({ ...header, entries: header.entries + 1 }, leaf);
    return true;
  }

  #newLeaf(depth: number): [number, Uint8Array] {
    const leaf = new Uint8Array(this.#geometry.blockSize);
    const addr = this.#takeBlock();
    initDirents(leaf, LEAF_BYTES);
    this.#initLeaf(leaf, depth);
    this.#dir.indirect.set(addr, leaf);
    return [addr, leaf];
  }

  #initLeaf(leaf: Uint8Array, depth: number): void {
    encodeLeaf({ depth, entries: 0, next: 0, inode: this.#dir.di.addr, dist: 0, nsec: 0, sec: 0 }, leaf);
  }

  #pointer(index: number): number {
    return getU64(viewOf(this.#dir.block), DINODE_BYTES + 8 * index);
  }
}
