import { getU64, setU64, viewOf } from '@quorate/kernel';
import { BLKST, type BlockState, setState, wordsOf } from '../bitmap.js';
import type { EntryPlace, Fixer, PendingEntry, PendingWork } from '../check/fix.js';
import { CheckImage } from '../check/image.js';
import { isKept } from '../check/inodes.js';
import type { CheckedRgrps } from '../check/rgrps.js';
import { bitmapIndexOf, bitmapSpans } from '../ondisk/bitmap-layout.js';
import {
  DIF,
  type Dinode,
  decodeDinode,
  direntTypeOf,
  encodeDinode,
  isDirectory,
  MODE,
  PAYLOAD,
} from '../ondisk/dinode.js';
import { type Dirent, decodeDirent, direntHash, direntSize, encodeDirent } from '../ondisk/dirent.js';
import { deleteDirent, direntFault, isEmpty } from '../ondisk/dirent-block.js';
import { DINODE_BYTES, type Geometry, MAX_HEIGHT } from '../ondisk/geometry.js';
import { decodeLeaf, encodeLeaf, LEAF_BYTES } from '../ondisk/leaf.js';
import { encodeMetaHeader, GFS2_MAGIC, META_HEADER_BYTES, META_TYPE, wordAt } from '../ondisk/meta-header.js';
import { findMetapath, getPointer, pointerArea, setPointer } from '../ondisk/metadata-tree.js';
import type { RindexEntry } from '../ondisk/rindex.js';
import type { Inum } from '../ondisk/superblock.js';
import { cleanJournal } from './clean-journal.js';
import { mountForRepair, type RepairWorld } from './mount-for-repair.js';
import { rebuildRindex } from './rebuild-rindex.js';
import type { RepairDevice } from './repair-device.js';
import { writeQuotas } from './write-quotas.js';

/** Changes an image block by block, as the fixes of one examination want it. */
export class ImageFixer implements Fixer {
  readonly root: Inum;
  readonly #device: RepairDevice;
  readonly #geometry: Geometry;
  readonly #rgrps: CheckedRgrps;
  readonly #pending: PendingWork;
  readonly #world: RepairWorld;

  /** What has to wait goes to `pending`. */
  constructor(
    device: RepairDevice,
    geometry: Geometry,
    rgrps: CheckedRgrps,
    root: Inum,
    pending: PendingWork,
    world: RepairWorld,
  ) {
    this.#device = device;
    this.#geometry = geometry;
    this.#rgrps = rgrps;
    this.root = root;
    this.#pending = pending;
    this.#world = world;
  }

  read(block: number): Uint8Array {
    const bytes = new Uint8Array(this.#geometry.blockSize);
    this.#device.read(block * bytes.length, bytes);
    return bytes;
  }

  patch(block: number, change: (bytes: Uint8Array, view: DataView) => void): void {
    const bytes = this.read(block);
    change(bytes, viewOf(bytes));
    this.#device.write(block * bytes.length, bytes);
  }

  patchDinode(addr: number, change: (dinode: Dinode) => void): void {
    this.patch(addr, (bytes) => {
      const dinode = decodeDinode(bytes)!;
      change(dinode);
      encodeDinode(dinode, bytes);
    });
  }

  setState(block: number, state: BlockState): void {
    const { rindex } = this.#rgrps.find(block)!;
    const offset = block - rindex.data0;
    const index = bitmapIndexOf(this.#geometry, offset);
    const span = bitmapSpans(this.#geometry, rindex)![index]!;
    this.patch(rindex.addr + index, (bytes) => {
      setState(wordsOf(bytes), offset + 4 * (span.offset - span.start), state);
    });
  }

  restoreBitmap(rindex: RindexEntry, index: number): void {
    const { offset, start, bytes: length } = bitmapSpans(this.#geometry, rindex)![index]!;
    const first = rindex.data0 + 4 * start;
    this.patch(rindex.addr + index, (bytes) => {
      encodeMetaHeader(bytes, index === 0 ? META_TYPE.RG : META_TYPE.RB);
      for (let block = first; block < first + 4 * length; block++) {
        const dinode = decodeDinode(this.read(block));
        if (dinode?.addr !== block || dinode.nlink === 0 || !isKept(dinode)) continue;
        setState(wordsOf(bytes), 4 * offset + block - first, BLKST.DINODE);
      }
    });
  }

  dropPointers(addr: number, blocks: ReadonlySet<number>): void {
    const { height } = decodeDinode(this.read(addr))!;
    const walk = (block: number, level: number, entered: ReadonlySet<number>): void => {
      const bytes = this.read(block);
      const view = viewOf(bytes);
      const { offset, count } = pointerArea(this.#geometry, level);
      const children: number[] = [];
      let isChanged = false;
      for (let at = offset; at < offset + 8 * count; at += 8) {
        const target = getU64(view, at);
        if (target === 0) continue;
        if (blocks.has(target)) {
          setU64(view, at, 0);
          isChanged = true;
        } else if (level < height - 1 && !entered.has(target)) children.push(target);
      }
      if (isChanged) this.#device.write(block * bytes.length, bytes);
      for (const child of children) walk(child, level + 1, new Set([...entered, child]));
    };
    if (height > 0 && height <= MAX_HEIGHT) walk(addr, 0, new Set([addr]));
  }

  pendCopy(addr: number, lblock: number, block: number): void {
    const { height } = decodeDinode(this.read(addr))!;
    // Another fix may have changed what is on the way.
    if (height === 0) return;
    const path = findMetapath(this.#geometry, height, lblock, []);
    const last = height - 1;
    let at = addr;
    for (let level = 0; level < last; level++) {
      at = getPointer(this.read(at), level, path[level]!);
      if (at === 0 || at >= this.#device.sizeBytes / this.#geometry.blockSize) return;
    }
    if (getPointer(this.read(at), last, path[last]!) !== block) return;
    this.patch(at, (bytes) => setPointer(bytes, last, path[last]!, 0));
    const bytes = this.read(block);
    // Metadata of whoever keeps it is no data.
    if (wordAt(bytes, 0) !== GFS2_MAGIC) this.#pending.copies.push({ addr, lblock, bytes });
  }

  dropXattrs(addr: number): void {
    this.patchDinode(addr, (dinode) => {
      dinode.eattr = 0;
      dinode.flags = (dinode.flags & ~DIF.EA_INDIRECT) >>> 0;
    });
  }

  removeEntry({ block, start, offset }: EntryPlace): void {
    this.patch(block, (bytes) => {
      if (direntFault(bytes, start, offset) !== undefined || isEmpty(decodeDirent(bytes, offset))) return;
      deleteDirent(bytes, start, offset);
      const leaf = start === LEAF_BYTES ? decodeLeaf(bytes) : undefined;
      if (leaf !== undefined) encodeLeaf({ ...leaf, entries: Math.max(0, leaf.entries - 1) }, bytes);
    });
  }

  retarget({ block, offset }: EntryPlace, target: Inum): void {
    this.patch(block, (_, view) => {
      setU64(view, offset, target.formalIno);
      setU64(view, offset + 8, target.addr);
      view.setUint16(offset + 24, direntTypeOf(MODE.DIRECTORY));
    });
  }

  pend(entry: PendingEntry): void {
    this.#pending.entries.push(entry);
  }

  adopt({ addr, formalIno, mode }: Dinode): void {
    this.pend({ dir: undefined, name: new Uint8Array(0), addr, formalIno, type: direntTypeOf(mode) });
  }

  rebuildDirectory(addr: number): void {
    const dinode = decodeDinode(this.read(addr));
    if (dinode === undefined || !isDirectory(dinode)) return;
    const entries = this.#readableEntries(dinode);
    let parent = this.root;
    for (const { name, ...entry } of entries) {
      const isDot = name.length === 1 && name[0] === 0x2e;
      const isDotdot = name.length === 2 && name[0] === 0x2e && name[1] === 0x2e;
      if (isDotdot) parent = entry;
      else if (!isDot) this.pend({ ...entry, name, dir: addr });
    }
    this.patch(addr, (bytes) => {
      bytes.fill(0, DINODE_BYTES);
      writeDots(dinode, parent, bytes);
      encodeDinode(emptied(dinode, this.#geometry.maxStuffed), bytes);
    });
  }

  rebuildRindex(rindex: Dinode, held: readonly RindexEntry[]): void {
    rebuildRindex(this.#device, this.#geometry, rindex, held);
  }

  setQuotas(values: ReadonlyMap<number, number>): void {
    mountForRepair(this.#device, this.#geometry.blockSize, this.#world, (fs) => writeQuotas(fs, values));
  }

  cleanJournal(addr: number, blocks: readonly number[], how: 'replay' | 'reset'): void {
    cleanJournal(this.#device, this.#geometry, addr, blocks, how);
  }

  /** Entries of a directory up to the first fault of each of its blocks. */
  #readableEntries(dir: Dinode): Dirent[] {
    if ((dir.flags & DIF.EXHASH) === 0) return readable(this.read(dir.addr), DINODE_BYTES);
    const entries: Dirent[] = [];
    const leaves = new Set<number>();
    for (const first of this.#hashTable(dir)) {
      for (let block = first; this.#rgrps.find(block) !== undefined && !leaves.has(block); ) {
        const bytes = this.read(block);
        const leaf = decodeLeaf(bytes);
        if (leaf?.inode !== dir.addr) break;
        leaves.add(block);
        entries.push(...readable(bytes, LEAF_BYTES));
        block = leaf.next;
      }
    }
    return entries;
  }

  /** All pointers of a hash table, as far as it can be read. */
  #hashTable(dir: Dinode): number[] {
    const pointers: number[] = [];
    const take = (bytes: Uint8Array, from: number): void => {
      for (let at = from; at + 8 <= bytes.length; at += 8) pointers.push(getU64(viewOf(bytes), at));
    };
    const image = new CheckImage(this.#device, this.#geometry, 0);
    if (dir.height === 0) take(this.read(dir.addr), DINODE_BYTES);
    image.walkTree(dir, {
      data: (block) => {
        if (block < image.blocks) take(this.read(block), META_HEADER_BYTES);
      },
    });
    return pointers;
  }
}

function readable(bytes: Uint8Array, start: number): Dirent[] {
  const entries: Dirent[] = [];
  for (let at = start; at < bytes.length && direntFault(bytes, start, at) === undefined; ) {
    const dirent = decodeDirent(bytes, at);
    if (!isEmpty(dirent)) entries.push({ ...dirent, name: dirent.name.slice() });
    at += dirent.recLen;
  }
  return entries;
}

function writeDots(dir: Dinode, parent: Inum, bytes: Uint8Array): void {
  const type = direntTypeOf(MODE.DIRECTORY);
  const [dot, dotdot] = [Uint8Array.of(0x2e), Uint8Array.of(0x2e, 0x2e)];
  const size = direntSize(1);
  const { formalIno, addr } = dir;
  encodeDirent({ formalIno, addr, type, name: dot }, direntHash(dot), size, bytes, DINODE_BYTES);
  const up = { formalIno: parent.formalIno, addr: parent.addr, type, name: dotdot };
  encodeDirent(up, direntHash(dotdot), bytes.length - DINODE_BYTES - size, bytes, DINODE_BYTES + size);
}

/** The dinode of a linear directory without names; how many blocks its attributes have is counted later. */
function emptied(dinode: Dinode, maxStuffed: number): Dinode {
  const flags = ((dinode.flags & ~DIF.EXHASH) | DIF.JDATA) >>> 0;
  const shape = { size: maxStuffed, height: 0, depth: 0, entries: 2, payloadFormat: PAYLOAD.DIRENT };
  return { ...dinode, ...shape, flags };
}
