import { getU64, viewOf } from '@quorate/kernel';
import { bitmapSpans } from '../ondisk/bitmap-layout.js';
import { type Dinode, encodeDinode } from '../ondisk/dinode.js';
import { DINODE_BYTES, type Geometry } from '../ondisk/geometry.js';
import { pointerArea } from '../ondisk/metadata-tree.js';
import { decodeRgrpHeader, rindexCopyOf } from '../ondisk/rgrp-header.js';
import { encodeRindexEntry, RINDEX_ENTRY_BYTES, type RindexEntry } from '../ondisk/rindex.js';
import type { RepairDevice } from './repair-device.js';

/**
 * Looks for resource groups by their headers, which say how large they are and where the next one is, and writes what it finds
 * into `rindex` where that stands now. Does nothing when `rindex` has more records than groups were found, or no room for them.
 */
export function rebuildRindex(
  device: RepairDevice,
  geometry: Geometry,
  rindex: Dinode,
  held: readonly RindexEntry[],
): void {
  const found = searchRgrps(device, geometry);
  const content = new Uint8Array(found.length * RINDEX_ENTRY_BYTES);
  if (found.length < held.length || content.length === 0) return;
  for (const [i, entry] of found.entries()) encodeRindexEntry(entry, content, i * RINDEX_ENTRY_BYTES);
  const { blockSize, maxStuffed } = geometry;
  const block = new Uint8Array(blockSize);
  device.read(rindex.addr * blockSize, block);
  if (rindex.height === 0) {
    if (content.length > maxStuffed) return;
    block.fill(0, DINODE_BYTES);
    block.set(content, DINODE_BYTES);
  } else if (!writeBlocks(device, geometry, rindex, block, content)) return;
  encodeDinode({ ...rindex, size: content.length }, block);
  device.write(rindex.addr * blockSize, block);
}

function searchRgrps(device: RepairDevice, geometry: Geometry): RindexEntry[] {
  const { blockSize } = geometry;
  const blocks = Math.floor(device.sizeBytes / blockSize);
  const bytes = new Uint8Array(blockSize);
  const found: RindexEntry[] = [];
  for (let at = geometry.superblock + 1; at < blocks; ) {
    device.read(at * blockSize, bytes);
    const entry = entryOf(geometry, at, bytes);
    if (entry === undefined) at += 1;
    else {
      found.push(entry);
      at = entry.data0 + entry.data;
    }
  }
  return found;
}

function entryOf(geometry: Geometry, addr: number, block: Uint8Array): RindexEntry | undefined {
  if (decodeRgrpHeader(block) === undefined) return undefined;
  const { data0, data, bitbytes } = rindexCopyOf(block);
  const entry = { addr, length: data0 - addr, data0, data, bitbytes };
  const isPlausible = entry.length > 0 && entry.length < MAX_LENGTH && data > 0 && data === 4 * bitbytes;
  return isPlausible && bitmapSpans(geometry, entry) !== undefined ? entry : undefined;
}

/** A file with one level of blocks, which is what `rindex` is. */
function writeBlocks(
  device: RepairDevice,
  geometry: Geometry,
  { height }: Dinode,
  dinode: Uint8Array,
  content: Uint8Array,
): boolean {
  const { blockSize } = geometry;
  const { offset, count } = pointerArea(geometry, 0);
  const needed = Math.ceil(content.length / blockSize);
  if (height !== 1 || needed > count) return false;
  const blocks = Array.from({ length: needed }, (_, i) => getU64(viewOf(dinode), offset + 8 * i));
  if (blocks.some((block) => block === 0 || (block + 1) * blockSize > device.sizeBytes)) return false;
  const bytes = new Uint8Array(blockSize);
  for (const [i, block] of blocks.entries()) {
    bytes.fill(0);
    bytes.set(content.subarray(i * blockSize, (i + 1) * blockSize));
    device.write(block * blockSize, bytes);
  }
  return true;
}

/** Blocks of header and bitmap that the largest group can have. */
const MAX_LENGTH = 2149;
