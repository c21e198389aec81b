import { bytesEqual, getU64, type Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import { DIF } from '../ondisk/dinode.js';
import { isMetaBlock, META_HEADER_BYTES, META_TYPE } from '../ondisk/meta-header.js';
import { decodeXattr, FIRST_XATTR, type XattrRecord } from '../ondisk/xattr.js';
import { freeMetaBlocks } from './free-blocks.js';
import type { Inode } from './inode.js';
import { readIndirect } from './tree.js';

/** A record where it stands, and the one in front of it in the same block (`gfs2_ea_location`). */
export interface XattrPlace {
  readonly buffer: Buffer;
  readonly record: XattrRecord;
  readonly before: XattrRecord | undefined;
}

/** A name as it is stored: its namespace's number, and what stands behind the prefix. */
export interface XattrName {
  readonly type: number;
  readonly name: Uint8Array;
}

/** Every record of the inode in the order in which they are stored, unused ones too (`ea_foreach`). The glock is held. */
export function* xattrPlaces(fs: FileSystem, inode: Inode): Task<XattrPlace[]> {
  const places: XattrPlace[] = [];
  for (const block of yield* xattrBlocks(fs, inode)) places.push(...(yield* placesIn(fs, inode, block)));
  return places;
}

/** The records of one block. */
export function* placesIn(fs: FileSystem, inode: Inode, block: number): Task<XattrPlace[]> {
  const buffer = yield* fs.core.cache.read(inode.glock.space, block);
  if (!isMetaBlock(buffer.data, META_TYPE.EA))
    return fs.core.inconsistent(`block ${block} holds no extended attributes`);
  const places: XattrPlace[] = [];
  for (let at = FIRST_XATTR, before: XattrRecord | undefined; at < buffer.data.length; ) {
    const record = decodeXattr(buffer.data, at);
    if (record === undefined) return fs.core.inconsistent(`block ${block}: broken extended attribute`);
    places.push({ buffer, record, before });
    if (record.isLast) break;
    at += record.recLen;
    before = record;
  }
  return places;
}

export function* findXattr(fs: FileSystem, inode: Inode, wanted: XattrName): Task<XattrPlace | undefined> {
  const places = yield* xattrPlaces(fs, inode);
  return places.find(({ record }) => record.type === wanted.type && bytesEqual(record.name, wanted.name));
}

/** The value of an attribute (`gfs2_ea_get_copy`). What is given may alias the cache. */
export function* readXattr(fs: FileSystem, inode: Inode, { buffer, record }: XattrPlace): Task<Uint8Array> {
  const { pointers, dataLen, dataOffset } = record;
  if (pointers.length === 0) return buffer.data.subarray(dataOffset, dataOffset + dataLen);
  const { jbsize } = fs.core.geometry;
  if (pointers.length * jbsize < dataLen) return fs.core.inconsistent(`block ${buffer.block}: a value without blocks`);
  const value = new Uint8Array(dataLen);
  for (const [i, block] of pointers.entries()) {
    const { data } = yield* fs.core.cache.read(inode.glock.space, block);
    if (!isMetaBlock(data, META_TYPE.ED)) return fs.core.inconsistent(`block ${block} holds no part of a value`);
    const part = data.subarray(META_HEADER_BYTES, META_HEADER_BYTES + Math.max(0, dataLen - i * jbsize));
    value.set(part, i * jbsize);
  }
  return value;
}

/** Frees the blocks that hold an inode's extended attributes (`gfs2_ea_dealloc`). The caller holds the glock EX. */
export function* freeXattrs(fs: FileSystem, inode: Inode): Task {
  const { eattr, flags } = inode.di;
  if (eattr === 0) return;
  const blocks = (flags & DIF.EA_INDIRECT) === 0 ? [] : [eattr];
  blocks.push(...(yield* xattrBlocks(fs, inode)));
  for (const { record } of yield* xattrPlaces(fs, inode)) blocks.push(...record.pointers);
  yield* freeMetaBlocks(fs, inode, blocks, 0, function* () {
    inode.di.eattr = 0;
    inode.di.flags = (inode.di.flags & ~DIF.EA_INDIRECT) >>> 0;
  });
}

/** The blocks with records. */
function* xattrBlocks(fs: FileSystem, inode: Inode): Task<number[]> {
  const { eattr, flags } = inode.di;
  if (eattr === 0) return [];
  if ((flags & DIF.EA_INDIRECT) === 0) return [eattr];
  const { view } = yield* readIndirect(fs, inode, eattr);
  const blocks: number[] = [];
  for (let at = META_HEADER_BYTES; at < view.byteLength && getU64(view, at) !== 0; at += 8)
    blocks.push(getU64(view, at));
  return blocks;
}
