import { DIF, type Dinode } from '../ondisk/dinode.js';
import { isMetaBlock, META_HEADER_BYTES, META_TYPE } from '../ondisk/meta-header.js';
import { getPointer } from '../ondisk/metadata-tree.js';
import { decodeXattr, XATTR_PREFIX } from '../ondisk/xattr.js';
import type { CheckRule } from './finding.js';
import type { CheckImage } from './image.js';

/** Who wants to know about the blocks of extended attributes. */
export interface XattrVisitor {
  /** A block that belongs to the inode; false when it does not. */
  mark(block: number): boolean;
  fault(rule: CheckRule, block: number, message: string): void;
}

/** Extended attributes: types of blocks, records that fill their block, and as many value blocks as the value needs. */
export function checkXattrs(image: CheckImage, dinode: Dinode, visitor: XattrVisitor): void {
  const { addr, eattr, flags } = dinode;
  if (!visitor.mark(eattr)) return;
  if ((flags & DIF.EA_INDIRECT) === 0) return checkBlock(image, eattr, addr, visitor);
  const bytes = image.read(eattr, new Uint8Array(image.geometry.blockSize));
  if (bytes === undefined || !isMetaBlock(bytes, META_TYPE.IN)) {
    return visitor.fault('xattr-type', eattr, `xattr block ${eattr} of inode ${addr} is not an indirect block`);
  }
  for (let i = 0; i < image.geometry.inptrs; i++) {
    const block = getPointer(bytes, 1, i);
    if (block === 0) break;
    if (visitor.mark(block)) checkBlock(image, block, addr, visitor);
  }
}

function checkBlock(image: CheckImage, block: number, owner: number, visitor: XattrVisitor): void {
  const bytes = image.read(block, new Uint8Array(image.geometry.blockSize));
  if (bytes === undefined || !isMetaBlock(bytes, META_TYPE.EA)) {
    return visitor.fault('xattr-type', block, `block ${block} of inode ${owner} holds no extended attributes`);
  }
  for (let at = META_HEADER_BYTES; ; ) {
    const record = decodeXattr(bytes, at);
    const isRight =
      record !== undefined &&
      record.type < XATTR_PREFIX.length &&
      record.isLast === (at + record.recLen === bytes.length) &&
      hasRightPointers(record, image.geometry.jbsize);
    if (!isRight)
      return visitor.fault('xattr-record', block, `xattr record at byte ${at} of block ${block} is damaged`);
    for (const pointer of record.pointers) checkValueBlock(image, pointer, owner, visitor);
    if (record.isLast) return;
    at += record.recLen;
  }
}

function hasRightPointers(record: { dataLen: number; pointers: readonly number[] }, jbsize: number): boolean {
  const { dataLen, pointers } = record;
  return pointers.length === 0 || pointers.length === Math.ceil(dataLen / jbsize);
}

function checkValueBlock(image: CheckImage, block: number, owner: number, visitor: XattrVisitor): void {
  if (!visitor.mark(block)) return;
  const bytes = image.read(block, new Uint8Array(image.geometry.blockSize));
  if (bytes === undefined || !isMetaBlock(bytes, META_TYPE.ED)) {
    visitor.fault('xattr-type', block, `block ${block} of inode ${owner} holds no xattr value`);
  }
}
