import { ConfigError, setU64, viewOf } from '@quorate/kernel';
import type { BlockMap } from './block-map.js';
import { BAT_ENTRY_BYTES, BlockState, batGeometry, entryCount } from './format/bat.js';
import { LOG_SECTOR_BYTES } from './format/log-entry.js';
import { isDiskSize } from './format/metadata.js';
import {
  BAT_REGION,
  encodeRegionTable,
  REGION_TABLE_BYTES,
  REGION_TABLE_OFFSETS,
  type Region,
} from './format/region-table.js';
import { beginWrite, durably, flushImage, type ImageState, saveMap, type WritingState } from './image-state.js';
import type { Layout } from './layout.js';
import type { SectorUpdate } from './log/log-writer.js';
import { freeBlock } from './payload.js';
import { MIB, mibOf } from './units.js';
import { writeZeros } from './zeros.js';

export interface ResizeOptions {
  /** Whether a smaller size may throw away, in whole or in part, blocks that have a place in the file. Default false. */
  readonly isDiscarding?: boolean;
}

/** Changes the size of an image's virtual disk: see `VhdxImage.resize`. */
export function resizeImage(state: ImageState, size: number, { isDiscarding = false }: ResizeOptions): void {
  const { blockSize, diskSize, logicalSectorSize } = state.layout.metadata;
  if (!isDiskSize(size, logicalSectorSize)) {
    throw new ConfigError('/size', `${size}`, `a multiple of ${logicalSectorSize} up to 64 TiB`);
  }
  if (size < diskSize && !isDiscarding) refuseLoss(state.map, Math.floor(size / blockSize));
  const writing = beginWrite(state, 0);
  flushImage(state, writing);
  if (size > diskSize) grow(state, writing, size);
  else if (size < diskSize) shrink(state, writing, size);
  writing.isDirty = true;
  flushImage(state, writing);
}

/** @throws {ConfigError} when a block from `first` on has a place: the new size ends before it or within it. */
function refuseLoss(map: BlockMap, first: number): void {
  for (let block = first; block < map.blocks; block++) {
    if (!map.isPresent(block)) continue;
    throw new ConfigError('/size', `block ${block} in use`, 'a size that leaves out no block in use, or isDiscarding');
  }
}

/**
 * First what lies beyond the old size is put in order, where nobody looks yet: the rest of the last block, the new BAT
 * entries. Then one log entry changes the size.
 */
function grow(state: ImageState, writing: WritingState, size: number): void {
  const { file } = state;
  const old = state.layout;
  clearRest(state);
  const layout = layoutOfSize(old, size);
  const map = state.map.resized(layout.geometry);
  if (old.metadata.isFixed) placeNewBlocks(state, writing, map);
  const bytes = entryCount(layout.geometry) * BAT_ENTRY_BYTES;
  if (bytes <= old.bat.length) {
    map.markChanged(entryCount(old.geometry), entryCount(layout.geometry));
    durably(writing, () => {
      file.flush();
      saveMap(file, writing.log, map, old.bat.offset);
      file.flush();
      writing.log.commit(sizeUpdates(state, size));
    });
    state.layout = layout;
  } else {
    state.layout = moveBat(state, writing, map, layout, mibOf(bytes));
  }
  state.map = map;
}

/** What follows the end of the disk in its last block, which the larger disk will show. */
function clearRest({ file, map, layout }: ImageState): void {
  const { blockSize, diskSize } = layout.metadata;
  const used = diskSize % blockSize;
  const last = map.blocks - 1;
  if (used > 0 && map.isPresent(last)) writeZeros(file, map.mibOf(last) * MIB + used, blockSize - used);
}

/** The blocks that a fixed image gets. */
function placeNewBlocks({ file, map: old, rooms, layout }: ImageState, writing: WritingState, map: BlockMap): void {
  const count = layout.metadata.blockSize / MIB;
  for (let block = old.blocks; block < map.blocks; block++) {
    const mib = rooms.take(count);
    if (file.size < (mib + count) * MIB) file.resize((mib + count) * MIB);
    const stale = Math.min(count, writing.freshFrom - mib);
    writeZeros(file, mib * MIB, stale * MIB);
    writing.freshFrom = Math.max(writing.freshFrom, mib + count);
    map.set(block, BlockState.fullyPresent, mib);
    writing.note?.({ kind: 'vhdx.block-placed', block, offset: mib * MIB });
  }
}

/** Writes the BAT to a larger place; one log entry changes both region tables and the size. */
function moveBat(state: ImageState, writing: WritingState, map: BlockMap, layout: Layout, mibs: number): Layout {
  const { file, rooms } = state;
  const mib = rooms.take(mibs);
  const bat: Region = { ...layout.bat, offset: mib * MIB, length: mibs * MIB };
  if (file.size < (mib + mibs) * MIB) file.resize((mib + mibs) * MIB);
  // Room that was used before is not zero: what follows the table must be.
  writeZeros(file, bat.offset, Math.min(mibs, writing.freshFrom - mib) * MIB);
  map.writeTo(file, bat.offset);
  writing.freshFrom = Math.max(writing.freshFrom, mib + mibs);
  const regions = layout.regions.map((region) => (region.guid === BAT_REGION ? bat : region));
  durably(writing, () => {
    file.flush();
    writing.log.commit([
      ...regionTableUpdates(layout.regions, regions),
      ...sizeUpdates(state, layout.metadata.diskSize),
    ]);
  });
  writing.freed.push({ mib: layout.bat.offset / MIB, count: layout.bat.length / MIB });
  writing.note?.({ kind: 'vhdx.bat-moved', from: placeOf(layout.bat), to: placeOf(bat) });
  const structures = layout.structures.map((one) => (one.name === 'BAT' ? { ...one, ...placeOf(bat) } : one));
  return { ...layout, regions, bat, structures };
}

function placeOf({ offset, length }: Region): { offset: number; length: number } {
  return { offset, length };
}

/** Sectors of both region tables that differ. */
function regionTableUpdates(before: readonly Region[], after: readonly Region[]): SectorUpdate[] {
  const [old, bytes] = [encodeRegionTable(before), encodeRegionTable(after)];
  const updates: SectorUpdate[] = [];
  for (let at = 0; at < REGION_TABLE_BYTES; at += LOG_SECTOR_BYTES) {
    const sector = bytes.subarray(at, at + LOG_SECTOR_BYTES);
    if (sector.every((byte, i) => byte === old[at + i])) continue;
    for (const offset of REGION_TABLE_OFFSETS) updates.push({ offset: offset + at, bytes: sector });
  }
  return updates;
}

/** First the size: what lies beyond it belongs to nobody, and its BAT entries can go. */
function shrink(state: ImageState, writing: WritingState, size: number): void {
  const { file, map: old } = state;
  const layout = layoutOfSize(state.layout, size);
  durably(writing, () => {
    file.flush();
    writing.log.commit(sizeUpdates(state, size));
  });
  const { blocks } = layout.geometry;
  for (let block = blocks; block < old.blocks; block++) {
    if (old.mibOf(block) > 0) freeBlock(state, writing, block, BlockState.notPresent);
  }
  const map = old.resized(layout.geometry);
  map.markChanged(entryCount(layout.geometry), entryCount(state.layout.geometry));
  state.layout = layout;
  state.map = map;
}

function layoutOfSize(layout: Layout, diskSize: number): Layout {
  const metadata = { ...layout.metadata, diskSize };
  const geometry = batGeometry(diskSize, metadata.blockSize, metadata.logicalSectorSize);
  return { ...layout, metadata, geometry };
}

/** The sectors of the metadata region in which the size stands: one, or two if it lies across their border. */
function sizeUpdates({ file, layout }: ImageState, size: number): SectorUpdate[] {
  const at = layout.metadata.diskSizeOffset % LOG_SECTOR_BYTES;
  const offset = layout.metadata.diskSizeOffset - at;
  const bytes = new Uint8Array(at > LOG_SECTOR_BYTES - 8 ? 2 * LOG_SECTOR_BYTES : LOG_SECTOR_BYTES);
  file.read(offset, bytes);
  setU64(viewOf(bytes), at, size, true);
  const updates: SectorUpdate[] = [];
  for (let done = 0; done < bytes.length; done += LOG_SECTOR_BYTES) {
    updates.push({ offset: offset + done, bytes: bytes.subarray(done, done + LOG_SECTOR_BYTES) });
  }
  return updates;
}
