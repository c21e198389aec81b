import type { Task } from '@quorate/kernel';
import type { Buffer } from '../buffer/buffer.js';
import type { FileSystem } from '../filesystem.js';
import { DIF } from '../ondisk/dinode.js';
import { META_HEADER_BYTES, META_TYPE } from '../ondisk/meta-header.js';
import { getPointer, setPointer } from '../ondisk/metadata-tree.js';
import {
  clearXattr,
  encodeXattr,
  FIRST_XATTR,
  MAX_XATTR_BYTES,
  type NewXattr,
  setXattrLength,
  usedBytes,
  type XattrSize,
  xattrSize,
} from '../ondisk/xattr.js';
import { checkLimits } from '../quota/quotas.js';
import { Refusal } from '../refusal.js';
import { freeMetaBlocks } from './free-blocks.js';
import type { Inode } from './inode.js';
import { setChanged } from './times.js';
import { newMetaBlock, readIndirect, type TreeChange, writeDinode } from './tree.js';
import { findXattr, placesIn, type XattrName, type XattrPlace, xattrPlaces } from './xattr.js';

/** Dinode, the block of the new record, that of the old one, the indirect block, and the statfs file. */
const RES_XATTR = 5;

/**
 * Sets an extended attribute (`__gfs2_xattr_set`). The caller holds the glock EX.
 *
 * As in Linux the blocks of a replaced value are freed in a transaction of their own; until then they hang on an unused record.
 *
 * @throws {Refusal} EEXIST, ENODATA as `how` demands, E2BIG, ENOSPC
 */
export function* setXattr(fs: FileSystem, inode: Inode, xattr: NewXattr, how?: 'create' | 'replace'): Task {
  if (xattr.value.length > MAX_XATTR_BYTES) throw new Refusal('E2BIG');
  const held = yield* findXattr(fs, inode, xattr);
  if (held !== undefined && how === 'create') throw new Refusal('EEXIST');
  if (held === undefined && how === 'replace') throw new Refusal('ENODATA');
  const size = xattrSize(xattr.name.length, xattr.value.length, fs.core.geometry.jbsize);
  // With blocks of 512 bytes the pointers to the longest values fill more than a block, which Linux does not notice.
  if (size.bytes > fs.core.geometry.jbsize) throw new Refusal('E2BIG');
  const room = yield* findRoom(fs, inode, size.bytes);
  const target = size.valueBlocks + (room === undefined ? yield* blocksForBlock(fs, inode) : 0);
  yield* checkLimits(fs, inode.di, target);
  yield* fs.rgrps.using(fs.rgrps.reservationOf(inode), target, (grant) => {
    const blocks = RES_XATTR + target + fs.rgrps.bitmapBlocks(grant, target);
    return fs.core.log.transact(blocks, 0, function* (transaction) {
      const change = { fs, inode, transaction, grant };
      const place = room === undefined ? yield* addBlock(change) : takeRoom(change, room);
      writeRecord(change, place.buffer, place.offset, xattr, size);
      if (held !== undefined) yield* dropRecord(change, held, 'keeps-pointers');
      setChanged(fs, inode);
      yield* writeDinode(fs, inode, transaction);
    });
  });
  if (held !== undefined && held.record.pointers.length > 0) yield* freeValue(fs, inode, held);
}

/** Removes an extended attribute (`gfs2_xattr_remove`). The caller holds the glock EX. @throws {Refusal} ENODATA */
export function* removeXattr(fs: FileSystem, inode: Inode, name: XattrName): Task {
  const held = yield* findXattr(fs, inode, name);
  if (held === undefined) throw new Refusal('ENODATA');
  if (held.record.pointers.length > 0) return yield* freeValue(fs, inode, held);
  yield* fs.core.log.transact(2, 0, function* (transaction) {
    yield* dropRecord({ fs, inode, transaction, grant: undefined }, held, 'drops-pointers');
    setChanged(fs, inode);
    yield* writeDinode(fs, inode, transaction);
  });
}

/** The first record with that many bytes to spare, an unused one or behind what it holds (`ea_set_simple`). */
function* findRoom(fs: FileSystem, inode: Inode, bytes: number): Task<XattrPlace | undefined> {
  let places = yield* xattrPlaces(fs, inode);
  for (const place of places) {
    // Its node died while it replaced the value.
    if (place.record.type === 0 && place.record.pointers.length > 0) yield* freeValue(fs, inode, place);
  }
  places = yield* xattrPlaces(fs, inode);
  return places.find(({ record }) => record.recLen - usedBytes(record) >= bytes);
}

/** Blocks that one more block of records takes. @throws {Refusal} ENOSPC when the indirect block is full */
function* blocksForBlock(fs: FileSystem, inode: Inode): Task<number> {
  const { eattr, flags } = inode.di;
  if (eattr === 0) return 1;
  if ((flags & DIF.EA_INDIRECT) === 0) return 2;
  const { data } = yield* readIndirect(fs, inode, eattr);
  if (getPointer(data, 1, fs.core.geometry.inptrs - 1) !== 0) throw new Refusal('ENOSPC');
  return 1;
}

/** Where a record is to be written. */
interface RecordPlace {
  readonly buffer: Buffer;
  readonly offset: number;
}

/** Uses an unused record, or cuts off what a used one does not need (`ea_split_ea`). */
function takeRoom({ fs, transaction }: TreeChange, { buffer, record }: XattrPlace): RecordPlace {
  fs.core.log.addMeta(transaction, buffer);
  if (record.type === 0) return { buffer, offset: record.offset };
  const used = usedBytes(record);
  const offset = record.offset + used;
  setXattrLength(buffer.data, record.offset, used, false);
  buffer.data.fill(0, offset, offset + 16);
  setXattrLength(buffer.data, offset, record.recLen - used, record.isLast);
  return { buffer, offset };
}

/** A further block of records (`ea_init_i`, `ea_set_block`): the first one, or one more below the indirect block. */
function* addBlock(change: TreeChange): Task<RecordPlace> {
  const { fs, inode, transaction } = change;
  const { di } = inode;
  let parent: Buffer | undefined;
  if ((di.flags & DIF.EA_INDIRECT) !== 0) parent = yield* readIndirect(fs, inode, di.eattr);
  else if (di.eattr !== 0) {
    parent = newMetaBlock(change, META_TYPE.IN);
    setPointer(parent.data, 1, 0, di.eattr);
    di.eattr = parent.block;
    di.flags = (di.flags | DIF.EA_INDIRECT) >>> 0;
  }
  const buffer = newMetaBlock(change, META_TYPE.EA);
  setXattrLength(buffer.data, FIRST_XATTR, fs.core.geometry.jbsize, true);
  if (parent === undefined) di.eattr = buffer.block;
  else {
    fs.core.log.addMeta(transaction, parent);
    let index = 0;
    while (getPointer(parent.data, 1, index) !== 0) index += 1;
    setPointer(parent.data, 1, index, buffer.block);
  }
  return { buffer, offset: FIRST_XATTR };
}

/** Writes the attribute, a long value into blocks of its own (`ea_write`). */
function writeRecord(change: TreeChange, buffer: Buffer, offset: number, xattr: NewXattr, size: XattrSize): void {
  const { jbsize } = change.fs.core.geometry;
  const pointers: number[] = [];
  for (let i = 0; i < size.valueBlocks; i++) {
    const { data, block } = newMetaBlock(change, META_TYPE.ED);
    data.set(xattr.value.subarray(i * jbsize, (i + 1) * jbsize), META_HEADER_BYTES);
    pointers.push(block);
  }
  encodeXattr(buffer.data, offset, { ...xattr, pointers });
}

/** Takes a record away: the one in front of it takes its bytes, unless it still leads to blocks (`ea_set_remove_stuffed`). */
function* dropRecord(
  { fs, inode, transaction }: TreeChange,
  { buffer: { block }, record: { offset } }: XattrPlace,
  pointers: 'keeps-pointers' | 'drops-pointers',
): Task {
  const { buffer, record, before } = yield* placeAt(fs, inode, block, offset);
  fs.core.log.addMeta(transaction, buffer);
  const isInUse = pointers === 'keeps-pointers' && record.pointers.length > 0;
  if (before === undefined || isInUse) clearXattr(buffer.data, record.offset, pointers);
  else setXattrLength(buffer.data, before.offset, before.recLen + record.recLen, record.isLast);
}

/** Frees the blocks of a value, and the record with them (`ea_remove_unstuffed`). */
function* freeValue(fs: FileSystem, inode: Inode, { buffer: { block }, record }: XattrPlace): Task {
  const place = yield* placeAt(fs, inode, block, record.offset);
  yield* freeMetaBlocks(fs, inode, place.record.pointers, 1, function* (transaction) {
    yield* dropRecord({ fs, inode, transaction, grant: undefined }, place, 'drops-pointers');
    setChanged(fs, inode);
  });
}

/** The record at that byte as it is by now. */
function* placeAt(fs: FileSystem, inode: Inode, block: number, offset: number): Task<XattrPlace> {
  const place = (yield* placesIn(fs, inode, block)).find(({ record }) => record.offset === offset);
  return place ?? fs.core.inconsistent(`block ${block}: no extended attribute at byte ${offset}`);
}
