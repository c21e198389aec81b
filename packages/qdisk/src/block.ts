import { crc32, setU64, viewOf } from '@quorate/kernel';

/** Status blocks on a quorum disk, and so the highest node id that can use one. */
export const MAX_NODES_DISK = 16;

/**
 * Shared header, the first 32 bytes of every slot. Little-endian on every host.
 *
 * offset size field
 *      0    4 magic      0x00debb1e
 *      4    4 header CRC CRC-32 over these 32 bytes with this field zero
 *      8    4 data CRC   CRC-32 over the `length` bytes that follow
 *     12    4 length     272 quorum header, 80 status block
 *     16    8 view       zero
 *     24    8 timestamp  second of the write
 *
 * Source: cluster.git cman/qdisk/disk.h, `shared_header_t`; disk.c, `header_generate`, `header_verify`.
 */
const SHARED_HEADER_BYTES = 32;
const SHARED_HEADER_MAGIC = 0x00debb1e;

/** Why the data of a slot cannot be used, in the order of the checks. `bad-length`: more than its sector could hold. */
export type SlotDefect = 'short' | 'bad-header-crc' | 'bad-magic' | 'bad-length' | 'bad-data-crc';

/**
 * Completes a slot: computes the shared header for the `length` data bytes that stand at offset 32 of `sector`.
 *
 * @returns false when a checksum came out as zero, which the original takes for a failed computation and does not write.
 */
export function sealSlot(sector: Uint8Array, length: number, timestamp: number): boolean {
  const view = viewOf(sector);
  const dataCrc = crc32(sector, SHARED_HEADER_BYTES, SHARED_HEADER_BYTES + length);
  view.setUint32(0, SHARED_HEADER_MAGIC, true);
  view.setUint32(4, 0, true);
  view.setUint32(8, dataCrc, true);
  view.setUint32(12, length, true);
  setU64(view, 16, 0, true);
  setU64(view, 24, timestamp, true);
  const headerCrc = crc32(sector, 0, SHARED_HEADER_BYTES);
  view.setUint32(4, headerCrc, true);
  return dataCrc !== 0 && headerCrc !== 0;
}

/**
 * Checks a slot and returns its data, which aliases `sector`, or what is wrong with it.
 *
 * Differs from the original, which skips the data CRC when `length` exceeds the sector and then copies past its buffer.
 */
export function openSlot(sector: Uint8Array): Uint8Array | SlotDefect {
  if (sector.length < SHARED_HEADER_BYTES) return 'short';
  const view = viewOf(sector);
  if (headerCrcOf(sector) !== view.getUint32(4, true)) return 'bad-header-crc';
  if (view.getUint32(0, true) !== SHARED_HEADER_MAGIC) return 'bad-magic';
  const end = SHARED_HEADER_BYTES + view.getUint32(12, true);
  if (end > sector.length) return 'bad-length';
  if (crc32(sector, SHARED_HEADER_BYTES, end) !== view.getUint32(8, true)) return 'bad-data-crc';
  return sector.subarray(SHARED_HEADER_BYTES, end);
}

/** Where a slot's data stands in its sector, for whoever fills it before `sealSlot`. */
export const SLOT_DATA_OFFSET: number = SHARED_HEADER_BYTES;

/** The CRC covers its own field as zero; the sector is only lent, so that field is stepped over in a copy. */
function headerCrcOf(sector: Uint8Array): number {
  const header = sector.slice(0, SHARED_HEADER_BYTES);
  header.fill(0, 4, 8);
  return crc32(header);
}

/** Distance between two slots in bytes: a page, or a sector if that is larger. */
function slotPitch(sectorSize: number): number {
  return Math.max(4096, sectorSize);
}

/** Sector of the quorum header. */
export const HEADER_SECTOR = 0;

/** Sector of the status block of `nodeId` (1..16), counted in units of `sectorSize` bytes. */
export function statusSector(nodeId: number, sectorSize: number): number {
  return (slotPitch(sectorSize) * nodeId) / sectorSize;
}

/** Bytes a device must have: the original seeks there when it opens it, and calls anything smaller "too small". */
export function quorumDiskBytes(sectorSize: number): number {
  return slotPitch(sectorSize) * (MAX_NODES_DISK + 2);
}

/** Whether a sector of this size can carry both records and divides the slot pitch. */
export function isSectorSize(sectorSize: number): boolean {
  return Number.isInteger(sectorSize) && sectorSize >= 512 && slotPitch(sectorSize) % sectorSize === 0;
}
