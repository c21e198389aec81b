import { viewOf } from '@quorate/kernel';
import { FormatError } from '../format-error.js';
import { SECTOR_BYTES } from '../sector-device.js';
import { type Chs, decodeChs, encodeChs, NO_CHS } from './geometry.js';

/**
 * One of the four entries of a partition sector, 16 bytes, little-endian.
 *
 * offset size field
 *      0    1 boot    0x80 active, 0 not
 *      1    3 first   cylinder, head, sector
 *      4    1 type    0 unused, 0x05 extended, 0x83 Linux, 0x8e Linux LVM, …
 *      5    3 last    cylinder, head, sector
 *      8    4 start   first sector; counted from where the sector that has the entry says
 *     12    4 sectors
 */
export interface PartitionEntry {
  readonly boot: number;
  readonly first: Chs;
  readonly type: number;
  readonly last: Chs;
  readonly start: number;
  readonly sectors: number;
}

/** An entry that says nothing. */
export const UNUSED_ENTRY: PartitionEntry = { boot: 0, first: NO_CHS, type: 0, last: NO_CHS, start: 0, sectors: 0 };

/**
 * A master boot record, or an extended boot record, which has no signature of the disk. 512 bytes.
 *
 * offset size field
 *      0  440 –          boot code
 *    440    4 signature  of the disk
 *    444    2 –          zero
 *    446   64 entries    four of 16 bytes
 *    510    2 –          0x55 0xaa
 *
 * Source: util-linux include/pt-mbr.h.
 */
export interface PartitionSector {
  /** Number of the disk, 32 bits: fdisk's "disk identifier". */
  readonly signature: number;
  /** Always four. */
  readonly entries: readonly PartitionEntry[];
}

const SIGNATURE = 440;
const ENTRIES = 446;
const ENTRY_BYTES = 16;
const MAX_SECTORS = 0xffff_ffff;

/** Whether the sector ends as a partition sector does. */
export function isPartitionSector(sector: Uint8Array): boolean {
  return sector.length >= SECTOR_BYTES && sector[510] === 0x55 && sector[511] === 0xaa;
}

/** `structure` and `offset` (in bytes on the device) are for the error only. @throws {FormatError} without 55 aa. */
export function decodePartitionSector(
  sector: Uint8Array,
  structure: 'mbr' | 'ebr' = 'mbr',
  offset = 0,
): PartitionSector {
  if (sector.length < SECTOR_BYTES) throw new FormatError(structure, offset, `${sector.length} bytes, expected 512`);
  if (!isPartitionSector(sector)) {
    const found = [sector[510]!, sector[511]!].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new FormatError(structure, offset, `it ends with ${found}, expected 55 aa`);
  }
  const view = viewOf(sector);
  const entries = [0, 1, 2, 3].map((i) => decodeEntry(sector, view, ENTRIES + i * ENTRY_BYTES));
  return { signature: view.getUint32(SIGNATURE, true), entries };
}

/**
 * Writes everything but the boot code, which stays.
 *
 * @throws {RangeError} unless there are four entries, and none of them reaches behind 2^32 sectors (2 TiB).
 */
export function encodePartitionSector(sector: Uint8Array, { signature, entries }: PartitionSector): void {
  if (entries.length !== 4) throw new RangeError(`${entries.length} entries: expected 4`);
  const view = viewOf(sector);
  view.setUint32(SIGNATURE, signature, true);
  view.setUint16(SIGNATURE + 4, 0, true);
  for (const [i, entry] of entries.entries()) encodeEntry(sector, view, ENTRIES + i * ENTRY_BYTES, entry);
  sector[510] = 0x55;
  sector[511] = 0xaa;
}

function decodeEntry(sector: Uint8Array, view: DataView, at: number): PartitionEntry {
  return {
    boot: sector[at]!,
    first: decodeChs(sector, at + 1),
    type: sector[at + 4]!,
    last: decodeChs(sector, at + 5),
    start: view.getUint32(at + 8, true),
    sectors: view.getUint32(at + 12, true),
  };
}

function encodeEntry(sector: Uint8Array, view: DataView, at: number, entry: PartitionEntry): void {
  if (entry.start > MAX_SECTORS || entry.sectors > MAX_SECTORS) {
    throw new RangeError(`a partition of ${entry.sectors} sectors at ${entry.start}: expected at most ${MAX_SECTORS}`);
  }
  sector[at] = entry.boot;
  encodeChs(sector, at + 1, entry.first);
  sector[at + 4] = entry.type;
  encodeChs(sector, at + 5, entry.last);
  view.setUint32(at + 8, entry.start, true);
  view.setUint32(at + 12, entry.sectors, true);
}
