import { utf8Bytes } from '@quorate/kernel';
import type { CheckRule } from '../src/check/finding.js';
import { DIF, type Dinode } from '../src/ondisk/dinode.js';
import { type Dirent, direntHash } from '../src/ondisk/dirent.js';
import { listDirents } from '../src/ondisk/dirent-block.js';
import { DINODE_BYTES, SUPERBLOCK_BYTE } from '../src/ondisk/geometry.js';
import { LEAF_BYTES } from '../src/ondisk/leaf.js';
import { getPointer } from '../src/ondisk/metadata-tree.js';
import type { RindexEntry } from '../src/ondisk/rindex.js';
import { Volume } from '../src/volume.js';
import { formattedDisk } from './formatted-disk.js';
import type { MemoryDisk } from './memory-disk.js';
import { NodeDriver } from './node-driver.js';
import type { SparseImage } from './sparse-image.js';

const BLOCK = 4096;

/** Offsets in a dinode. */
const DI = { ADDR: 32, MODE: 40, NLINK: 52, SIZE: 56, BLOCKS: 64, GOAL: 104, HEIGHT: 138, DEPTH: 146, ENTRIES: 148 };

/** A mounted file system of 24 MiB with some of everything, in step with what is on its disk. */
export function mountedGarden(options = ''): NodeDriver {
  const driver = NodeDriver.mounted(formattedDisk(24), {}, options);
  const write = (path: string, offset: number, text: string): void => {
    const fd = driver.run({ kind: 'open', path, flags: { write: true, create: true } }) as number;
    driver.run({ kind: 'pwrite', fd, offset, bytes: utf8Bytes(text) });
    driver.run({ kind: 'close', fd });
  };
  for (const path of ['/dir', '/dir/sub', '/many']) driver.run({ kind: 'mkdir', path });
  write('/small', 0, 'in its dinode');
  write('/flat', 0, 'x'.repeat(10 * BLOCK));
  write('/tall', 0, 'x');
  write('/tall', 3_000_000, 'y');
  for (const path of ['/tall', '/dir/sub']) driver.run({ kind: 'chown', path, uid: 500, gid: 600 });
  driver.run({ kind: 'symlink', target: 'small', path: '/symlink' });
  driver.run({ kind: 'link', from: '/small', to: '/dir/hard' });
  for (let i = 0; i < 120; i++) write(`/many/${'name '.repeat(20)}${i}`, 0, '');
  driver.run({ kind: 'sync' });
  return driver;
}

/** A garden whose node has unmounted it. */
export function garden(options = ''): MemoryDisk {
  const driver = mountedGarden(options);
  driver.unmount();
  return driver.disk;
}

/** Changes an image in a way that a file system never would. */
export class Saboteur {
  readonly image: SparseImage;
  readonly volume: Volume;

  constructor(image: SparseImage) {
    this.image = image;
    this.volume = Volume.open(image)!;
  }

  inode(path: string): Dinode {
    return this.volume.lookup(path) as Dinode;
  }

  system(path: string): Dinode {
    return this.volume.systemFile(path) as Dinode;
  }

  patch(block: number, change: (view: DataView, bytes: Uint8Array) => void): void {
    this.image.patch(BLOCK, block, (bytes, view) => change(view, bytes));
  }

  /** Adds to a field of 32 bits. */
  add(block: number, offset: number, amount: number): void {
    this.patch(block, (view) => view.setUint32(offset, view.getUint32(offset) + amount));
  }

  /** Overwrites the metadata header. */
  wipe(block: number): void {
    this.patch(block, (_, bytes) => bytes.fill(0, 0, 24));
  }

  /** The block behind a pointer of the inode, level by level. */
  pointer(path: string, ...indices: number[]): number {
    let block = this.inode(path).addr;
    for (const [level, index] of indices.entries()) block = getPointer(this.volume.readBlock(block)!, level, index);
    return block;
  }

  setPointer(path: string, index: number, target: number): void {
    this.patch(this.inode(path).addr, (view) => view.setUint32(DINODE_BYTES + 8 * index + 4, target));
  }

  leaf(path: string): number {
    const table = this.volume.read(this.inode(path)) as Uint8Array;
    return new DataView(table.buffer).getUint32(4);
  }

  /** Changes the record of a name in a linear directory or a leaf. */
  dirent(dir: Dinode, name: string, change: (view: DataView, at: number, dirent: Dirent) => void): void {
    const block = (dir.flags & DIF.EXHASH) === 0 ? dir.addr : this.leaf('/many');
    const start = block === dir.addr ? DINODE_BYTES : LEAF_BYTES;
    this.patch(block, (view, bytes) => {
      for (const dirent of listDirents(bytes, start)!) {
        const text = String.fromCharCode(...dirent.name);
        if (text === name || name === '*') return change(view, dirent.offset, dirent);
      }
      throw new Error(`no ${name}`);
    });
  }

  /** The resource group of a block, and where in its header block the state of the block is. */
  rgrpOf(block: number): RindexEntry {
    const rindex = this.volume.rindex() as RindexEntry[];
    return rindex.find(({ data0, data }) => block >= data0 && block < data0 + data)!;
  }

  setState(block: number, state: number): void {
    const { addr, data0 } = this.rgrpOf(block);
    const k = block - data0;
    this.patch(addr, (_, bytes) => {
      const at = 128 + (k >> 2);
      bytes[at] = (bytes[at]! & ~(3 << (2 * (k & 3)))) | (state << (2 * (k & 3)));
    });
  }

  /** Adds to the counts of a resource group's header and leaves its checksum unset. */
  addCounts(block: number, free: number, dinodes: number): void {
    const { addr } = this.rgrpOf(block);
    this.add(addr, 28, free);
    this.add(addr, 32, dinodes);
    this.patch(addr, (view) => view.setUint32(64, 0));
  }

  /** The last data block of the device, which nothing uses. */
  get freeBlock(): number {
    const { data0, data } = (this.volume.rindex() as RindexEntry[]).at(-1)!;
    return data0 + data - 1;
  }

  rindex(record: number, change: (view: DataView, at: number) => void): void {
    this.patch(this.system('rindex').addr, (view) => change(view, DINODE_BYTES + 96 * record));
  }
}

/** Something wrong with the garden: what it is, the rules that must name it, and how it comes about. */
export const DAMAGES: readonly (readonly [name: string, rules: readonly CheckRule[], plant: (s: Saboteur) => void])[] =
  [
    [
      'a used block is free in the bitmap',
      ['bitmap-state', 'rgrp-counts'],
      (s) => s.setState(s.pointer('/flat', 0), 0),
    ],
    ['a free block is used in the bitmap', ['bitmap-state', 'rgrp-counts'], (s) => s.setState(s.freeBlock, 1)],
    ['a data block is a dinode in the bitmap', ['dinode-type'], (s) => s.setState(s.pointer('/flat', 3), 3)],
    ['an inode with names is unlinked in the bitmap', ['unlinked'], (s) => s.setState(s.inode('/small').addr, 2)],
    ['a group counts too many free blocks', ['rgrp-counts'], (s) => s.addCounts(s.freeBlock, 1, 0)],
    ['a group counts too few dinodes', ['rgrp-counts'], (s) => s.addCounts(s.freeBlock, 0, -1)],
    ['the checksum of a group is wrong', ['rgrp-crc'], (s) => s.add(s.rgrpOf(s.freeBlock).addr, 64, 1)],
    ['the header of a group is lost', ['rgrp-header'], (s) => s.wipe(s.rgrpOf(s.freeBlock).addr)],
    [
      'a group starts inside the one before',
      ['rindex-order'],
      (s) => s.rindex(1, (view, at) => view.setUint32(at + 4, 20)),
    ],
    [
      'a group is larger than its bitmap',
      ['rindex-entry'],
      (s) => s.rindex(1, (view, at) => view.setUint32(at + 24, 1 << 30)),
    ],
    [
      'rindex claims to be huge',
      ['system-content'],
      (s) => s.patch(s.system('rindex').addr, (view) => view.setUint32(DI.SIZE, 9)),
    ],
    [
      'the bitmap of a group is lost',
      ['rgrp-header'],
      (s) => s.patch(s.rgrpOf(s.inode('/small').addr).addr, (_, bytes) => bytes.fill(0)),
    ],
    ['the root directory is free in the bitmap', ['bitmap-state'], (s) => s.setState(s.inode('/').addr, 0)],
    ['an inode with a name is free in the bitmap', ['dirent-target'], (s) => s.setState(s.inode('/flat').addr, 0)],
    ['statfs has lost a block', ['statfs'], (s) => s.add(s.system('statfs').addr, DINODE_BYTES + 12, -1)],
    ['a file has one link too many', ['nlink'], (s) => s.add(s.inode('/small').addr, DI.NLINK, 1)],
    ['a directory has one link too few', ['nlink'], (s) => s.add(s.inode('/dir').addr, DI.NLINK, -1)],
    ['a file counts too few blocks', ['dinode-blocks'], (s) => s.add(s.inode('/flat').addr, DI.BLOCKS + 4, -1)],
    ['two pointers lead to one block', ['pointer-shared'], (s) => s.setPointer('/flat', 1, s.pointer('/flat', 0))],
    ['two files share a block', ['pointer-shared'], (s) => s.setPointer('/tall', 0, s.pointer('/flat', 2))],
    ['a pointer leads out of the device', ['pointer-outside'], (s) => s.setPointer('/flat', 2, 1 << 30)],
    ['a pointer leads into a bitmap', ['pointer-outside'], (s) => s.setPointer('/flat', 2, s.rgrpOf(s.freeBlock).addr)],
    ['an indirect block is lost', ['indirect-type'], (s) => s.wipe(s.pointer('/tall', 0))],
    [
      'a tree leads back into itself',
      ['pointer-shared'],
      (s) => s.patch(s.pointer('/tall', 0), (view) => view.setUint32(28, s.pointer('/tall', 0))),
    ],
    ['an inode is lost', ['dinode-type', 'dirent-target'], (s) => s.wipe(s.inode('/small').addr)],
    [
      'an inode says that it is somewhere else',
      ['dinode-address'],
      (s) => s.add(s.inode('/small').addr, DI.ADDR + 4, 1),
    ],
    [
      'an inode has no type',
      ['dinode-mode'],
      (s) => s.patch(s.inode('/flat').addr, (view) => view.setUint32(DI.MODE, 0o644)),
    ],
    [
      'a tree is too high',
      ['dinode-height'],
      (s) => s.patch(s.inode('/flat').addr, (view) => view.setUint16(DI.HEIGHT, 11)),
    ],
    [
      'a goal is off the device',
      ['dinode-goal'],
      (s) => s.patch(s.inode('/flat').addr, (view) => view.setUint32(DI.GOAL, 1)),
    ],
    [
      'more bytes than fit are in a dinode',
      ['dinode-size'],
      (s) => s.patch(s.inode('/small').addr, (view) => view.setUint32(DI.SIZE + 4, 5000)),
    ],
    [
      'an entry leads to a free block',
      ['dirent-target', 'nlink'],
      (s) => s.dirent(s.inode('/'), 'small', (view, at) => view.setUint32(at + 12, s.freeBlock)),
    ],
    [
      'an entry leads to a data block',
      ['dirent-target'],
      (s) => s.dirent(s.inode('/'), 'small', (view, at) => view.setUint32(at + 12, s.pointer('/flat', 0))),
    ],
    [
      'an entry has the wrong formal number',
      ['dirent-formal'],
      (s) => s.dirent(s.inode('/'), 'flat', (view, at) => view.setUint32(at + 4, 77)),
    ],
    [
      'an entry has the wrong type',
      ['dirent-type'],
      (s) => s.dirent(s.inode('/'), 'flat', (view, at) => view.setUint16(at + 24, 4)),
    ],
    [
      'an entry has the wrong hash',
      ['dirent-hash'],
      (s) => s.dirent(s.inode('/'), 'flat', (view, at) => view.setUint32(at + 16, 7)),
    ],
    [
      'a record is too short for its name',
      ['dirent-record'],
      (s) => s.dirent(s.inode('/'), 'flat', (view, at) => view.setUint16(at + 22, 200)),
    ],
    ['a directory counts one entry too many', ['dir-entries'], (s) => s.add(s.inode('/dir').addr, DI.ENTRIES, 1)],
    [
      '".." leads to somebody else',
      ['dir-parent'],
      (s) => s.dirent(s.inode('/dir/sub'), '..', (view, at) => view.setUint32(at + 12, s.inode('/').addr)),
    ],
    [
      '"." leads to somebody else',
      ['dirent-dot'],
      (s) => s.dirent(s.inode('/dir/sub'), '.', (view, at) => view.setUint32(at + 12, s.inode('/').addr)),
    ],
    [
      'a directory has two names',
      ['dir-linked-twice'],
      (s) =>
        s.dirent(s.inode('/'), 'flat', (view, at) => {
          const { addr, formalIno } = s.inode('/dir/sub');
          view.setUint32(at + 4, formalIno);
          view.setUint32(at + 12, addr);
          view.setUint16(at + 24, 4);
        }),
    ],
    [
      'a directory has no name',
      ['dir-unreachable'],
      (s) => s.dirent(s.inode('/'), 'dir', (view, at) => view.setUint32(at + 12, s.inode('/small').addr)),
    ],
    ['a leaf is lost', ['leaf-type'], (s) => s.wipe(s.leaf('/many'))],
    [
      'a leaf counts one entry too many',
      ['leaf-entries'],
      (s) => s.patch(s.leaf('/many'), (view) => view.setUint16(26, view.getUint16(26) + 1)),
    ],
    [
      'a leaf has the wrong depth',
      ['leaf-run'],
      (s) => s.patch(s.leaf('/many'), (view) => view.setUint16(24, 1 + view.getUint16(24))),
    ],
    ['a name is in the wrong leaf', ['dirent-leaf'], (s) => s.dirent(s.inode('/many'), '*', misplace)],
    [
      'a hash table has the wrong depth',
      ['hash-table'],
      (s) => s.patch(s.inode('/many').addr, (view) => view.setUint16(DI.DEPTH, 30)),
    ],
    [
      'a journal is too small',
      ['journal-size'],
      (s) => s.patch(s.system('jindex/journal0').addr, (view) => view.setUint32(DI.SIZE + 4, 4096)),
    ],
    [
      'a journal has a hole',
      ['journal-hole'],
      (s) => s.patch(s.system('jindex/journal0').addr, (view) => view.setUint32(DINODE_BYTES + 4, 0)),
    ],
    [
      'a system file is missing',
      ['system-inode'],
      (s) => s.dirent(s.volume.master as Dinode, 'statfs', (view, at) => renameTo(view, at, 'xtatfs')),
    ],
    [
      'the superblock is of another format',
      ['superblock'],
      (s) => s.patch(SUPERBLOCK_BYTE / BLOCK, (view) => view.setUint32(24, 1900)),
    ],
    ['the superblock is gone', ['superblock'], (s) => s.wipe(SUPERBLOCK_BYTE / BLOCK)],
  ];

/** What fsck.gfs2 3.5 does not find; the first one it does not survive: it allocates what rindex says and then walks it. */
export const UNNOTICED: ReadonlySet<string> = new Set([
  'rindex claims to be huge',
  'more bytes than fit are in a dinode',
  'an entry has the wrong formal number',
]);

/** Gives a name another first letter and its right hash, which belongs to another leaf. */
function misplace(view: DataView, at: number, { hash, name }: Dirent): void {
  const text = String.fromCharCode(...name);
  for (let code = 0x61; ; code++) {
    const other = String.fromCharCode(code) + text.slice(1);
    if (direntHash(utf8Bytes(other)) >>> 30 !== hash >>> 30) return renameTo(view, at, other);
  }
}

function renameTo(view: DataView, at: number, name: string): void {
  const bytes = utf8Bytes(name);
  for (const [i, byte] of bytes.entries()) view.setUint8(at + 40 + i, byte);
  view.setUint32(at + 16, direntHash(bytes));
}
