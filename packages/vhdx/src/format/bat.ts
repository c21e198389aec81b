import { setU64 } from '@quorate/kernel';
import { MIB } from '../units.js';

/** State of a payload block. Source: MS-VHDX 2.5.1.1. */
export const BlockState = {
  notPresent: 0,
  undefined: 1,
  zero: 2,
  unmapped: 3,
  fullyPresent: 6,
  /** Of differencing images only. */
  partiallyPresent: 7,
} as const;
export type BlockState = number;

export const BAT_ENTRY_BYTES = 8;

/** Sectors that a sector bitmap block describes. */
const CHUNK_SECTORS = 2 ** 23;

/**
 * Which entry of the block allocation table belongs to which block: after the entries of every `chunkRatio` payload
 * blocks stands one of a sector bitmap block, which fixed and dynamic images leave zero.
 *
 * Source: MS-VHDX 2.5.
 */
export interface BatGeometry {
  /** Payload blocks of the virtual disk. */
  readonly blocks: number;
  readonly chunkRatio: number;
}

export function batGeometry(diskSize: number, blockSize: number, logicalSectorSize: number): BatGeometry {
  return { blocks: Math.ceil(diskSize / blockSize), chunkRatio: (CHUNK_SECTORS * logicalSectorSize) / blockSize };
}

/** Index of the entry of a payload block. */
export function entryOfBlock(block: number, chunkRatio: number): number {
  return block + Math.floor(block / chunkRatio);
}

/** Entries up to that of the last payload block. */
export function entryCount({ blocks, chunkRatio }: BatGeometry): number {
  return entryOfBlock(blocks - 1, chunkRatio) + 1;
}

/** The payload block that an entry belongs to; -1 for that of a sector bitmap block. */
export function blockOfEntry(entry: number, chunkRatio: number): number {
  const chunk = Math.floor(entry / (chunkRatio + 1));
  const place = entry - chunk * (chunkRatio + 1);
  return place === chunkRatio ? -1 : chunk * chunkRatio + place;
}

/** An entry, 8 bytes, little-endian: bits 0-2 state, 3-19 zero, 20-63 file offset in MiB. */
export function putEntry(view: DataView, at: number, state: BlockState, mib: number): void {
  setU64(view, at, mib * MIB + state, true);
}

export function stateAt(view: DataView, at: number): BlockState {
  return view.getUint8(at) & 7;
}

/** Bits 3 to 19, which must be zero. */
export function reservedAt(view: DataView, at: number): number {
  return (view.getUint32(at, true) & 0xfffff) >>> 3;
}

/** File offset in MiB. */
export function mibAt(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 4096 + (view.getUint32(at, true) >>> 20);
}
