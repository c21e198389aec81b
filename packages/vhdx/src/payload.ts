import { BlockState } from './format/bat.js';
import type { ImageState, WritingState } from './image-state.js';
import { MIB } from './units.js';
import { writeZeros } from './zeros.js';

/** Writes within one payload block, which gets a place in the file if it has none. `start` is in bytes within it. */
export function writePayload(
  state: ImageState,
  writing: WritingState,
  block: number,
  start: number,
  bytes: Uint8Array,
): void {
  const { file, map } = state;
  if (map.isPresent(block)) {
    const offset = map.mibOf(block) * MIB + start;
    file.write(offset, bytes);
    writing.note?.({ kind: 'vhdx.payload-written', block, offset, length: bytes.length });
  } else {
    placeBlock(state, writing, block, start, bytes);
  }
}

/** Gives the block a place, with zeros around what is written. The BAT in the file learns of it at the next flush. */
function placeBlock(
  { file, map, rooms, layout }: ImageState,
  writing: WritingState,
  block: number,
  start: number,
  bytes: Uint8Array,
): void {
  const { blockSize } = layout.metadata;
  const count = blockSize / MIB;
  const kept = map.mibOf(block);
  const mib = kept === 0 ? rooms.take(count) : kept;
  const offset = mib * MIB;
  const freshFrom = Math.max(offset, writing.freshFrom * MIB);
  writing.freshFrom = Math.max(writing.freshFrom, mib + count);
  try {
    if (file.size < offset + blockSize) file.resize(offset + blockSize);
    const end = start + bytes.length;
    writeZeros(file, offset, Math.min(start, freshFrom - offset));
    file.write(offset + start, bytes);
    writeZeros(file, offset + end, Math.min(blockSize, freshFrom - offset) - end);
  } catch (error) {
    if (kept === 0) rooms.release(mib, count);
    throw error;
  }
  map.set(block, BlockState.fullyPresent, mib);
  writing.note?.({ kind: 'vhdx.block-placed', block, offset });
  writing.note?.({ kind: 'vhdx.payload-written', block, offset, length: blockSize });
}

/** Makes a range of one payload block zero; a whole block of a dynamic image gives its room back. */
export function zeroPayload(
  state: ImageState,
  writing: WritingState,
  block: number,
  start: number,
  length: number,
): void {
  const { map, layout } = state;
  if (!map.isPresent(block)) return;
  const { blockSize, diskSize } = layout.metadata;
  const isWhole = start === 0 && length === Math.min(blockSize, diskSize - block * blockSize);
  if (isWhole) return freeBlock(state, writing, block, BlockState.zero);
  const offset = map.mibOf(block) * MIB + start;
  writeZeros(state.file, offset, length);
  writing.note?.({ kind: 'vhdx.payload-written', block, offset, length });
}

/** Takes the block's place away; its room is free once that is durable. */
export function freeBlock({ map, layout }: ImageState, writing: WritingState, block: number, to: BlockState): void {
  const mib = map.mibOf(block);
  map.set(block, to, 0);
  if (mib === 0) return;
  writing.freed.push({ mib, count: layout.metadata.blockSize / MIB });
  writing.note?.({ kind: 'vhdx.block-freed', block, offset: mib * MIB });
}
