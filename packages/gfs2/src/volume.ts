import { bytesEqual, type Errno, getU64, utf8Bytes, utf8Text, viewOf } from '@quorate/kernel';
import type { ReadableDevice } from './device.js';
import { DIF, type Dinode, decodeDinode, isDirectory, isSymlink } from './ondisk/dinode.js';
import { isEmpty, listDirents } from './ondisk/dirent-block.js';
import {
  DINODE_BYTES,
  type Geometry,
  geometryOf,
  MAX_DIR_DEPTH,
  MAX_HEIGHT,
  SUPERBLOCK_BYTE,
} from './ondisk/geometry.js';
import { decodeLeaf, LEAF_BYTES } from './ondisk/leaf.js';
import { isMetaBlock, META_HEADER_BYTES, META_TYPE } from './ondisk/meta-header.js';
import { blocksAtHeight, findMetapath, getPointer, pointerArea } from './ondisk/metadata-tree.js';
import { decodeRindex, type RindexEntry } from './ondisk/rindex.js';
import { decodeSuperblock, type Superblock } from './ondisk/superblock.js';
import { decodeXattr, FIRST_XATTR, XATTR_PREFIX, type XattrRecord } from './ondisk/xattr.js';

/** A name in a directory. */
export interface VolumeEntry {
  /** Raw bytes; `utf8Text` makes text of them. */
  readonly name: Uint8Array;
  readonly formalIno: number;
  readonly addr: number;
  /** Type bits of the mode shifted down by 12. */
  readonly type: number;
}

/** An inode and a path that leads to it. */
export interface VolumeNode {
  /** `/`, `/a/hello.txt`. */
  readonly path: string;
  readonly dinode: Dinode;
}

/** Blocks of a file side by side: `count` logical ones from `lblock` on are at `block`. */
export interface VolumeExtent {
  readonly lblock: number;
  readonly block: number;
  readonly count: number;
}

/** An extended attribute with its prefix, for instance `user.name`. */
export interface VolumeXattr {
  readonly name: string;
  readonly value: Uint8Array;
}

/**
 * Reads a GFS2 image as it is on the device: no locks, no journal replay, no writing.
 *
 * What is wrong on the device is answered with an errno: EIO for metadata that contradicts itself.
 */
export class Volume {
  readonly superblock: Superblock;
  readonly geometry: Geometry;
  /** Whole blocks of the device. */
  readonly blocks: number;
  readonly #device: ReadableDevice;

  private constructor(device: ReadableDevice, superblock: Superblock) {
    this.#device = device;
    this.superblock = superblock;
    this.geometry = geometryOf(superblock.blockSize);
    this.blocks = Math.floor(device.sizeBytes / superblock.blockSize);
  }

  /** Undefined when there is no GFS2 superblock on the device. */
  static open(device: ReadableDevice): Volume | undefined {
    if (device.sizeBytes < SUPERBLOCK_BYTE + 512) return undefined;
    const bytes = new Uint8Array(512);
    device.read(SUPERBLOCK_BYTE, bytes);
    const superblock = decodeSuperblock(bytes);
    return superblock === undefined ? undefined : new Volume(device, superblock);
  }

  /** A copy of a block; undefined when the device does not have it. */
  readBlock(block: number): Uint8Array<ArrayBuffer> | undefined {
    if (block < 0 || block >= this.blocks) return undefined;
    const bytes = new Uint8Array(this.geometry.blockSize);
    this.#device.read(block * bytes.length, bytes);
    return bytes;
  }

  /** The inode at that block; EIO when there is none. */
  inode(addr: number): Dinode | 'EIO' {
    const block = this.readBlock(addr);
    const dinode = block === undefined ? undefined : decodeDinode(block);
    const isPlausible = dinode?.addr === addr && dinode.height <= MAX_HEIGHT && Number.isSafeInteger(dinode.size);
    return isPlausible ? dinode : 'EIO';
  }

  get root(): Dinode | 'EIO' {
    return this.inode(this.superblock.rootDir.addr);
  }

  /** The directory of the system files, which no path leads to. */
  get master(): Dinode | 'EIO' {
    return this.inode(this.superblock.masterDir.addr);
  }

  /** The inode at a path from `start` (default: root). Symbolic links are not followed. */
  lookup(path: string, start: Dinode | Errno = this.root): Dinode | Errno {
    let inode = start;
    for (const part of path.split('/')) {
      if (typeof inode === 'string') return inode;
      if (part === '') continue;
      const entries = this.readdir(inode);
      if (typeof entries === 'string') return entries;
      const name = utf8Bytes(part);
      const entry = entries.find((candidate) => bytesEqual(candidate.name, name));
      inode = entry === undefined ? 'ENOENT' : this.inode(entry.addr);
    }
    return inode;
  }

  /** A system file by its path from master: `rindex`, `jindex/journal0`, `per_node/statfs_change1`. */
  systemFile(path: string): Dinode | Errno {
    return this.lookup(path, this.master);
  }

  /** The entries of a directory with `.` and `..`, in the order of the original's readdir: by hash, length, bytes. */
  readdir(dir: Dinode): VolumeEntry[] | 'ENOTDIR' | 'EIO' {
    if (!isDirectory(dir)) return 'ENOTDIR';
    const blocks = (dir.flags & DIF.EXHASH) === 0 ? [dir.addr] : this.#leaves(dir);
    if (blocks === 'EIO') return 'EIO';
    const start = (dir.flags & DIF.EXHASH) === 0 ? DINODE_BYTES : LEAF_BYTES;
    const entries: (VolumeEntry & { hash: number })[] = [];
    for (const addr of blocks) {
      const block = this.readBlock(addr);
      const dirents = block === undefined ? undefined : listDirents(block, start);
      if (dirents === undefined) return 'EIO';
      for (const dirent of dirents) if (!isEmpty(dirent)) entries.push(dirent);
    }
    return entries.sort((a, b) => a.hash - b.hash || compareNames(a.name, b.name));
  }

  /** `length` bytes of content from `offset` on, fewer at the end of the file; holes are zeros. */
  read(file: Dinode, offset = 0, length: number = file.size): Uint8Array<ArrayBuffer> | 'EIO' {
    const end = Math.min(offset + length, file.size);
    const bytes = new Uint8Array(Math.max(0, end - offset));
    if (file.height === 0) return this.#readStuffed(file, offset, bytes);
    const tree = new TreeReader(this, file);
    // The hash table of a directory is in blocks with a metadata header, all other content fills its blocks.
    const header = isDirectory(file) ? META_HEADER_BYTES : 0;
    const perBlock = this.geometry.blockSize - header;
    for (let at = offset; at < end; ) {
      const lblock = Math.floor(at / perBlock);
      const within = at - lblock * perBlock;
      const count = Math.min(perBlock - within, end - at);
      const target = tree.map(lblock);
      const block = target > 0 ? this.readBlock(target) : undefined;
      if (target !== 0 && block === undefined) return 'EIO';
      if (block !== undefined) bytes.set(block.subarray(header + within, header + within + count), at - offset);
      at += count;
    }
    return bytes;
  }

  /**
   * Where the content of an inode lies, in the order of its logical blocks; holes, and what cannot be read, are left out. Content
   * that is stuffed has none.
   */
  *extents(inode: Dinode): Generator<VolumeExtent, void, undefined> {
    let run = { lblock: 0, block: 0, count: 0 };
    for (const [lblock, block] of this.#dataBlocks(inode.addr, inode.height, 0, 0)) {
      if (block === run.block + run.count && lblock === run.lblock + run.count) run.count += 1;
      else {
        if (run.count > 0) yield run;
        run = { lblock, block, count: 1 };
      }
    }
    if (run.count > 0) yield run;
  }

  *#dataBlocks(addr: number, height: number, level: number, base: number): Generator<[number, number]> {
    const block = height > 0 ? this.readBlock(addr) : undefined;
    if (block === undefined || (level > 0 && !isMetaBlock(block, META_TYPE.IN))) return;
    const span = this.geometry.inptrs ** (height - 1 - level);
    const { count } = pointerArea(this.geometry, level);
    for (let i = 0; i < count; i++) {
      const target = getPointer(block, level, i);
      if (target === 0 || target >= this.blocks) continue;
      if (level === height - 1) yield [base + i, target];
      else yield* this.#dataBlocks(target, height, level + 1, base + i * span);
    }
  }

  /** Target of a symbolic link. */
  readlink(link: Dinode): string | Errno {
    if (!isSymlink(link)) return 'EINVAL';
    const bytes = this.read(link);
    return bytes === 'EIO' ? 'EIO' : utf8Text(bytes);
  }

  /** Extended attributes in the order in which they are stored. */
  xattrs(inode: Dinode): VolumeXattr[] | 'EIO' {
    if (inode.eattr === 0) return [];
    const blocks = (inode.flags & DIF.EA_INDIRECT) === 0 ? [inode.eattr] : this.#xattrBlocks(inode.eattr);
    if (blocks === 'EIO') return 'EIO';
    const xattrs: VolumeXattr[] = [];
    for (const addr of blocks) {
      const block = this.readBlock(addr);
      if (block === undefined || !isMetaBlock(block, META_TYPE.EA)) return 'EIO';
      for (let at = FIRST_XATTR, isLast = false; !isLast; ) {
        const record = decodeXattr(block, at);
        const value = record === undefined || record.type === 0 ? undefined : this.#xattrValue(block, record);
        if (record === undefined || value === 'EIO') return 'EIO';
        if (value !== undefined) xattrs.push({ name: XATTR_PREFIX[record.type]! + utf8Text(record.name), value });
        at += record.recLen;
        isLast = record.isLast;
      }
    }
    return xattrs;
  }

  /** The records of `rindex`. */
  rindex(): RindexEntry[] | Errno {
    const file = this.systemFile('rindex');
    const bytes = typeof file === 'string' ? file : this.read(file);
    return typeof bytes === 'string' ? bytes : decodeRindex(bytes);
  }

  /**
   * Every path below root, a directory before what is in it. What cannot be read is left out, and so is what is in a directory
   * that has been visited under another name.
   */
  *tree(): Generator<VolumeNode, void, undefined> {
    const { root } = this;
    if (root !== 'EIO') yield* this.#walk({ path: '/', dinode: root }, new Set());
  }

  *#walk(node: VolumeNode, visited: Set<number>): Generator<VolumeNode, void, undefined> {
    yield node;
    const entries = visited.has(node.dinode.addr) ? 'EIO' : this.readdir(node.dinode);
    if (typeof entries === 'string') return;
    visited.add(node.dinode.addr);
    for (const entry of entries) {
      const name = utf8Text(entry.name);
      const dinode = name === '.' || name === '..' ? 'EIO' : this.inode(entry.addr);
      if (dinode !== 'EIO')
        yield* this.#walk({ path: `${node.path === '/' ? '' : node.path}/${name}`, dinode }, visited);
    }
  }

  #readStuffed(file: Dinode, offset: number, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | 'EIO' {
    const block = this.readBlock(file.addr);
    if (block === undefined || file.size > this.geometry.maxStuffed) return 'EIO';
    bytes.set(block.subarray(DINODE_BYTES + offset, DINODE_BYTES + offset + bytes.length));
    return bytes;
  }

  /** Blocks of all leaves of an exhash directory, each once, chains behind their first leaf. */
  #leaves(dir: Dinode): number[] | 'EIO' {
    if (dir.depth > MAX_DIR_DEPTH || dir.size !== 8 * 2 ** dir.depth) return 'EIO';
    const table = this.read(dir);
    if (table === 'EIO') return 'EIO';
    const leaves = new Set<number>();
    for (let at = 0; at < table.length; at += 8) {
      for (let addr = getU64(viewOf(table), at); addr !== 0 && !leaves.has(addr); ) {
        const block = this.readBlock(addr);
        const leaf = block === undefined ? undefined : decodeLeaf(block);
        if (leaf === undefined) return 'EIO';
        leaves.add(addr);
        addr = leaf.next;
      }
    }
    return [...leaves];
  }

  #xattrBlocks(indirect: number): number[] | 'EIO' {
    const block = this.readBlock(indirect);
    if (block === undefined || !isMetaBlock(block, META_TYPE.IN)) return 'EIO';
    const blocks: number[] = [];
    for (let i = 0; i < this.geometry.inptrs && getPointer(block, 1, i) !== 0; i++)
      blocks.push(getPointer(block, 1, i));
    return blocks;
  }

  #xattrValue(block: Uint8Array, record: XattrRecord): Uint8Array | 'EIO' {
    const { dataOffset, dataLen, pointers } = record;
    if (pointers.length === 0) return block.slice(dataOffset, dataOffset + dataLen);
    const { jbsize } = this.geometry;
    if (pointers.length * jbsize < dataLen) return 'EIO';
    const value = new Uint8Array(dataLen);
    for (const [i, addr] of pointers.entries()) {
      const part = this.readBlock(addr);
      if (part === undefined || !isMetaBlock(part, META_TYPE.ED)) return 'EIO';
      value.set(part.subarray(META_HEADER_BYTES, META_HEADER_BYTES + Math.max(0, dataLen - i * jbsize)), i * jbsize);
    }
    return value;
  }
}

/** Finds the blocks of one file. Keeps the indirect block it used last at each level. */
class TreeReader {
  readonly #volume: Volume;
  readonly #height: number;
  readonly #capacity: number;
  readonly #path: number[] = [];
  /** Block numbers and content by level; the dinode is level 0. */
  readonly #addrs: number[];
  readonly #blocks: (Uint8Array | undefined)[];

  constructor(volume: Volume, file: Dinode) {
    this.#volume = volume;
    this.#height = file.height;
    this.#capacity = blocksAtHeight(volume.geometry, file.height);
    this.#addrs = [file.addr];
    this.#blocks = [volume.readBlock(file.addr)];
  }

  /** The block of logical block `lblock`; 0 for a hole, -1 when the tree is damaged there. */
  map(lblock: number): number {
    if (lblock >= this.#capacity) return 0;
    findMetapath(this.#volume.geometry, this.#height, lblock, this.#path);
    for (let level = 0; ; level++) {
      const block = this.#blocks[level];
      if (block === undefined) return -1;
      const target = getPointer(block, level, this.#path[level]!);
      if (target === 0 || level === this.#height - 1) return target;
      if (this.#addrs[level + 1] !== target) this.#load(level + 1, target);
    }
  }

  #load(level: number, addr: number): void {
    const block = this.#volume.readBlock(addr);
    this.#addrs[level] = addr;
    this.#blocks[level] = block !== undefined && isMetaBlock(block, META_TYPE.IN) ? block : undefined;
  }
}

function compareNames(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}
