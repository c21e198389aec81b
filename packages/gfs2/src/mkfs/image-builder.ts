import { assert } from '@quorate/kernel';
import { BLKST, fillState, wordsOf } from '../bitmap.js';
import type { WritableDevice } from '../device.js';
import { bitmapSpans } from '../ondisk/bitmap-layout.js';
import { DIF, type Dinode, direntTypeOf, encodeDinode, isDirectory, PAYLOAD } from '../ondisk/dinode.js';
import { direntHash, direntSize, encodeDirent } from '../ondisk/dirent.js';
import { insertDirent } from '../ondisk/dirent-block.js';
import { DINODE_BYTES, type Geometry } from '../ondisk/geometry.js';
import { initMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { findMetapath, getPointer, heightFor, pointerArea, setPointer } from '../ondisk/metadata-tree.js';
import { encodeRgrpHeader } from '../ondisk/rgrp-header.js';
import type { Inum } from '../ondisk/superblock.js';
import { ExhashDirectory } from './exhash.js';
import type { NewInode } from './new-inode.js';
import { tooSmall } from './options.js';
import type { PlacedRgrp } from './rgrp-plan.js';

/** Which blocks of a resource group are taken. Nothing is ever freed here, so they are its first ones. */
interface Fill {
  readonly placed: PlacedRgrp;
  used: number;
  /** Offsets of the dinodes among them. */
  readonly dinodes: number[];
}

/**
 * Makes the inodes of a new file system: gives out blocks by first fit and formal numbers in order, and writes inodes,
 * resource groups and nothing else.
 */
export class ImageBuilder {
  readonly geometry: Geometry;
  readonly #device: WritableDevice;
  readonly #sec: number;
  readonly #fills: readonly Fill[];
  readonly #scratch: Uint8Array;
  #nextFormal = 1;
  /** First resource group that may have a free block. */
  #first = 0;

  constructor(geometry: Geometry, device: WritableDevice, rgrps: readonly PlacedRgrp[], sec: number) {
    this.geometry = geometry;
    this.#device = device;
    this.#sec = sec;
    this.#fills = rgrps.map((placed) => ({ placed, used: 0, dinodes: [] }));
    this.#scratch = new Uint8Array(geometry.blockSize);
  }

  /** The next formal inode number, which nobody has yet. */
  get nextFormal(): number {
    return this.#nextFormal;
  }

  /** Blocks in all resource groups, those free, and the dinodes. */
  get counts(): { total: number; free: number; dinodes: number } {
    const counts = { total: 0, free: 0, dinodes: 0 };
    for (const { placed, used, dinodes } of this.#fills) {
      counts.total += placed.rindex.data;
      counts.free += placed.rindex.data - used;
      counts.dinodes += dinodes.length;
    }
    return counts;
  }

  write(block: number, bytes: Uint8Array): void {
    this.#device.write(block * this.geometry.blockSize, bytes);
  }

  /** Takes the first `blocks` blocks of an untouched resource group for one inode, whose dinode is the first. */
  takeExtent(rgrp: number, blocks: number): Inum {
    const fill = this.#fills[rgrp]!;
    assert(fill.used === 0 && blocks <= fill.placed.rindex.data, `resource group ${rgrp} cannot take ${blocks} blocks`);
    fill.used = blocks;
    fill.dinodes.push(0);
    return { formalIno: this.#takeFormal(), addr: fill.placed.rindex.data0 };
  }

  /** A new inode with one block; a directory gets its `.`, and its `..` leads to `parent`, or to itself without one. */
  newInode(mode: number, flags: number, parent?: Inum): NewInode {
    const fill = this.#fillWithRoom();
    fill.dinodes.push(fill.used);
    const inode = this.inodeAt({ formalIno: this.#takeFormal(), addr: this.#take(fill) }, mode, flags);
    if (isDirectory(inode.di)) this.#initDirectory(inode, parent ?? inode.di);
    return inode;
  }

  /** An inode at blocks that are taken already. */
  inodeAt(inum: Inum, mode: number, flags: number): NewInode {
    const { formalIno, addr } = inum;
    const sec = this.#sec;
    const times = { atime: sec, mtime: sec, ctime: sec, atimeNsec: 0, mtimeNsec: 0, ctimeNsec: 0 };
    const empty = { size: 0, blocks: 1, height: 0, depth: 0, entries: 0, eattr: 0, payloadFormat: 0, generation: 0 };
    const owner = { uid: 0, gid: 0, major: 0, minor: 0, nlink: 1, goalMeta: addr, goalData: addr };
    const di: Dinode = { formalIno, addr, mode, flags, ...times, ...empty, ...owner };
    return { di, block: new Uint8Array(this.geometry.blockSize), indirect: new Map() };
  }

  /** Enters an inode into a directory. */
  link(dir: NewInode, name: Uint8Array, inode: Inum, mode: number): void {
    const entry = { formalIno: inode.formalIno, addr: inode.addr, type: direntTypeOf(mode), name };
    const exhash = new ExhashDirectory(this.geometry, dir, () => this.#takeFor(dir));
    const isLinear = (dir.di.flags & DIF.EXHASH) === 0;
    if (!isLinear) exhash.add(entry);
    else if (!insertDirent(dir.block, DINODE_BYTES, entry)) {
      exhash.convert();
      exhash.add(entry);
    }
    dir.di.entries += 1;
    if (isDirectory({ mode })) dir.di.nlink += 1;
  }

  /** Makes the tree higher; what the dinode points at moves into a new indirect block (`lgfs2_build_height`). */
  growTo(inode: NewInode, height: number): void {
    const { offset, count } = pointerArea(this.geometry, 0);
    for (; inode.di.height < height; inode.di.height++) {
      const pointers = inode.block.slice(offset, offset + 8 * count);
      if (pointers.every((byte) => byte === 0)) continue;
      const block = this.#newIndirect();
      block.set(pointers, pointerArea(this.geometry, 1).offset);
      const target = this.#takeFor(inode);
      inode.indirect.set(target, block);
      inode.block.fill(0, offset);
      setPointer(inode.block, 0, 0, target);
    }
  }

  /** The block of the inode's logical block `lblock`, taken now if it is a hole (`lgfs2_block_map`). */
  mapBlock(inode: NewInode, lblock: number): number {
    const { geometry } = this;
    this.growTo(inode, heightFor(geometry, (lblock + 1) * geometry.blockSize));
    const { height } = inode.di;
    const path = findMetapath(geometry, height, lblock, []);
    let block = inode.block;
    for (let level = 0; ; level++) {
      let target = getPointer(block, level, path[level]!);
      const isData = level === height - 1;
      if (target === 0) {
        target = this.#takeFor(inode);
        setPointer(block, level, path[level]!, target);
        if (!isData) inode.indirect.set(target, this.#newIndirect());
      }
      if (isData) return target;
      block = inode.indirect.get(target)!;
    }
  }

  /** Sets the content of a file: stuffed when `mapped` bytes fit, else in blocks of its own, `mapped` bytes of them. */
  setContent(inode: NewInode, content: Uint8Array, mapped: number = content.length): void {
    const { blockSize, maxStuffed } = this.geometry;
    inode.di.size = content.length;
    if (mapped <= maxStuffed) {
      inode.block.set(content, DINODE_BYTES);
      return;
    }
    inode.di.height = 1;
    for (let lblock = 0; lblock * blockSize < mapped; lblock++) {
      const part = content.subarray(lblock * blockSize, (lblock + 1) * blockSize);
      this.#scratch.fill(0);
      this.#scratch.set(part);
      this.write(this.mapBlock(inode, lblock), this.#scratch);
    }
  }

  /** Writes the dinode and its other blocks of metadata. */
  writeInode(inode: NewInode): void {
    encodeDinode(inode.di, inode.block);
    this.write(inode.di.addr, inode.block);
    for (const [block, bytes] of inode.indirect) this.write(block, bytes);
  }

  /** Writes header and bitmap of every resource group. */
  writeRgrps(): void {
    for (const fill of this.#fills) this.#writeRgrp(fill);
  }

  #writeRgrp({ placed, used, dinodes }: Fill): void {
    const { rindex, skip } = placed;
    const spans = bitmapSpans(this.geometry, rindex);
    assert(spans !== undefined, `resource group ${rindex.addr} was cut wrong`);
    const block = this.#scratch;
    const words = wordsOf(block);
    for (const [i, { offset, start, bytes }] of spans.entries()) {
      if (i === 0) block.fill(0);
      else initMetaBlock(block, META_TYPE.RB);
      const first = 4 * start;
      const shift = 4 * offset - first;
      const end = Math.min(used, first + 4 * bytes);
      if (end > first) fillState(words, first + shift, end + shift, BLKST.USED);
      for (const at of dinodes) {
        if (at >= first && at < end) fillState(words, at + shift, at + shift + 1, BLKST.DINODE);
      }
      const free = rindex.data - used;
      if (i === 0) encodeRgrpHeader({ flags: 0, free, dinodes: dinodes.length, skip, igeneration: 0 }, rindex, block);
      this.write(rindex.addr + i, block);
    }
  }

  #initDirectory({ di, block }: NewInode, parent: Inum): void {
    const { formalIno, addr } = di;
    const type = direntTypeOf(di.mode);
    const dot = new Uint8Array([0x2e]);
    const dotdot = new Uint8Array([0x2e, 0x2e]);
    const size = direntSize(1);
    encodeDirent({ formalIno, addr, type, name: dot }, direntHash(dot), size, block, DINODE_BYTES);
    const up = { formalIno: parent.formalIno, addr: parent.addr, type, name: dotdot };
    encodeDirent(up, direntHash(dotdot), block.length - DINODE_BYTES - size, block, DINODE_BYTES + size);
    di.nlink = 2;
    di.size = this.geometry.maxStuffed;
    di.flags = (di.flags | DIF.JDATA) >>> 0;
    di.payloadFormat = PAYLOAD.DIRENT;
    di.entries = 2;
  }

  #newIndirect(): Uint8Array {
    const block = new Uint8Array(this.geometry.blockSize);
    initMetaBlock(block, META_TYPE.IN);
    return block;
  }

  /** As in the real program, a block for data moves the metadata goal too and leaves the data goal alone. */
  #takeFor(inode: NewInode): number {
    const block = this.#take(this.#fillWithRoom());
    inode.di.blocks += 1;
    inode.di.goalMeta = block;
    return block;
  }

  #fillWithRoom(): Fill {
    for (; this.#first < this.#fills.length; this.#first++) {
      const fill = this.#fills[this.#first]!;
      if (fill.used < fill.placed.rindex.data) return fill;
    }
    throw tooSmall(this.#device.sizeBytes, 'some blocks more for the system files');
  }

  #take(fill: Fill): number {
    fill.used += 1;
    return fill.placed.rindex.data0 + fill.used - 1;
  }

  #takeFormal(): number {
    this.#nextFormal += 1;
    return this.#nextFormal - 1;
  }
}
