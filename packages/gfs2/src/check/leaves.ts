import { getU64, viewOf } from '@quorate/kernel';
import type { Dinode } from '../ondisk/dinode.js';
import { DINODE_BYTES, MAX_DIR_DEPTH } from '../ondisk/geometry.js';
import { decodeLeaf, encodeLeaf, type Leaf } from '../ondisk/leaf.js';
import { META_HEADER_BYTES } from '../ondisk/meta-header.js';
import type { CheckRule } from './finding.js';
import type { Fix } from './fix.js';
import type { CheckImage } from './image.js';

/** What a walk over the leaves of an exhash directory meets. */
export interface LeafVisitor {
  /** A leaf, before it is read; false when it is not to be read. */
  enter(block: number): boolean;
  fault(rule: CheckRule, block: number, message: string, fix?: Fix): void;
  /** A leaf with its header, lent; `first` and `count` are its entries of the hash table. */
  leaf(block: number, header: Leaf, bytes: Uint8Array, first: number, count: number): void;
}

/** Whether depth and size are those of one hash table, and of one that a directory can have. */
export function hasHashTable({ depth, size }: Dinode): boolean {
  return depth <= MAX_DIR_DEPTH && size === 8 * 2 ** depth;
}

/** An `enter` for a walk that reads each leaf once, however many entries of the hash table lead to it. */
export function eachOnce(): LeafVisitor['enter'] {
  const seen = new Set<number>();
  return (block) => {
    const isNew = !seen.has(block);
    seen.add(block);
    return isNew;
  };
}

/**
 * Visits the leaves of an exhash directory in the order of its hash table, chains behind their first leaf. A directory whose
 * depth and size contradict each other has none.
 */
export function walkLeaves(image: CheckImage, dir: Dinode, visitor: LeafVisitor): void {
  if (!hasHashTable(dir)) return;
  const table = hashTable(image, dir);
  const bytes = new Uint8Array(image.geometry.blockSize);
  const entries = table.length / 8;
  const view = viewOf(table);
  for (let i = 0; i < entries; ) {
    const block = getU64(view, 8 * i);
    // As many equal entries as there are; the leaf says how many there should be.
    let count = 1;
    while (i + count < entries && getU64(view, 8 * (i + count)) === block) count += 1;
    walkChain(image, dir, block, i, count, bytes, visitor);
    i += count;
  }
}

function walkChain(
  image: CheckImage,
  dir: Dinode,
  first: number,
  index: number,
  count: number,
  bytes: Uint8Array,
  visitor: LeafVisitor,
): void {
  for (let block = first, position = 1; block !== 0 || position === 1; position++) {
    if (!visitor.enter(block)) return;
    const header = image.read(block, bytes) === undefined ? undefined : decodeLeaf(bytes);
    if (header === undefined) {
      return visitor.fault('leaf-type', block, `block ${block} of directory ${dir.addr} is not a leaf`);
    }
    checkLeafHeader(dir, block, header, position, visitor);
    const span = 2 ** (dir.depth - header.depth);
    if (count !== span || index % span !== 0) {
      const text = `${count} entries of the hash table from ${index} on, ${span} at a multiple of that are right`;
      visitor.fault('leaf-run', block, `leaf ${block} of depth ${header.depth} has ${text}`);
    }
    visitor.leaf(block, header, bytes, index, count);
    block = header.next;
  }
}

function checkLeafHeader(dir: Dinode, block: number, header: Leaf, position: number, visitor: LeafVisitor): void {
  if (header.depth > dir.depth) {
    const message = `leaf ${block} has depth ${header.depth}, directory ${dir.addr} has ${dir.depth}`;
    visitor.fault('leaf-header', block, message);
  }
  if (header.inode !== dir.addr) {
    visitor.fault('leaf-header', block, `leaf ${block} says that it belongs to directory ${header.inode}`, (fixer) =>
      fixer.patch(block, (bytes) => encodeLeaf({ ...decodeLeaf(bytes)!, inode: dir.addr }, bytes)),
    );
  }
  if (header.dist !== 0 && header.dist !== position) {
    const message = `leaf ${block} is number ${position} of its chain and says ${header.dist}`;
    visitor.fault('leaf-header', block, message, (fixer) =>
      fixer.patch(block, (bytes) => encodeLeaf({ ...decodeLeaf(bytes)!, dist: position }, bytes)),
    );
  }
}

/** The hash table in one piece; holes and blocks that cannot be read give zeros, which no leaf is at. */
function hashTable(image: CheckImage, dir: Dinode): Uint8Array {
  const { jbsize, blockSize } = image.geometry;
  const table = new Uint8Array(8 * 2 ** dir.depth);
  const bytes = new Uint8Array(blockSize);
  if (dir.height === 0) {
    if (table.length > image.geometry.maxStuffed || image.read(dir.addr, bytes) === undefined) return table;
    table.set(bytes.subarray(DINODE_BYTES, DINODE_BYTES + table.length));
    return table;
  }
  image.walkTree(dir, {
    indirect: () => true,
    data: (block, lblock) => {
      const at = lblock * jbsize;
      if (at >= table.length || image.read(block, bytes) === undefined) return;
      table.set(bytes.subarray(META_HEADER_BYTES, META_HEADER_BYTES + Math.min(jbsize, table.length - at)), at);
    },
  });
  return table;
}
