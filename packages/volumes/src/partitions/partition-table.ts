import type { Task } from '@quorate/kernel';
import { FormatError } from '../format-error.js';
import { readSectors, SECTOR_BYTES, type SectorDevice, writeSectors } from '../sector-device.js';
import { chsOf, type DiskGeometry, diskGeometry } from './geometry.js';
import {
  decodePartitionSector,
  encodePartitionSector,
  type PartitionEntry,
  type PartitionSector,
  UNUSED_ENTRY,
} from './partition-sector.js';
import { isExtended, PartitionType } from './partition-type.js';

/** A partition of a disk, primary, extended or logical. */
export interface Partition {
  /** 1 to 4 primary or extended, from 5 on logical, in the order of their chain. */
  readonly number: number;
  readonly isActive: boolean;
  readonly type: number;
  /** First sector on the disk. */
  readonly start: number;
  readonly sectors: number;
  /** Sector of the extended boot record that describes it; only of a logical partition. */
  readonly ebr?: number;
}

/** All partitions of a disk, in ascending numbers. */
export interface PartitionTable {
  readonly signature: number;
  readonly partitions: readonly Partition[];
}

/** As many as fdisk handles. */
export const MAX_PARTITIONS = 60;

/**
 * Reads the master boot record and the chain of extended boot records.
 *
 * @throws {FormatError} when a sector of them does not end with 55 aa, or the chain leaves the extended partition, comes
 * back to itself or has more than 60 links. @throws {VolumeError} `io`.
 */
export function* readPartitionTable(device: SectorDevice): Task<PartitionTable> {
  const { signature, entries } = decodePartitionSector(yield* readSectors(device, 0, 1));
  const partitions: Partition[] = [];
  for (const [i, entry] of entries.entries()) {
    if (entry.type !== PartitionType.unused) partitions.push(partitionOf(i + 1, entry, 0));
  }
  const extended = partitions.find(({ type }) => isExtended(type));
  if (extended !== undefined) partitions.push(...(yield* readLogical(device, extended)));
  return { signature, partitions };
}

function partitionOf(number: number, entry: PartitionEntry, base: number): Partition {
  const { boot, type, start, sectors } = entry;
  return { number, isActive: boot === 0x80, type, start: base + start, sectors };
}

/**
 * The chain: each extended boot record's first entry is a logical partition, counted from that record, its second entry
 * the next record, counted from the start of the extended partition.
 */
function* readLogical(device: SectorDevice, extended: Partition): Task<readonly Partition[]> {
  const logical: Partition[] = [];
  const visited = new Set<number>();
  const end = Math.min(device.sectors, extended.start + extended.sectors);
  for (let ebr = extended.start; ; ) {
    checkLink(ebr, extended, end, visited);
    const [entry, next] = decodePartitionSector(yield* readSectors(device, ebr, 1), 'ebr', ebr * SECTOR_BYTES).entries;
    if (entry!.type !== PartitionType.unused) logical.push({ ...partitionOf(5 + logical.length, entry!, ebr), ebr });
    if (!isExtended(next!.type)) return logical;
    ebr = extended.start + next!.start;
  }
}

function checkLink(ebr: number, extended: Partition, end: number, visited: Set<number>): void {
  const fail = (why: string) => new FormatError('ebr', ebr * SECTOR_BYTES, why);
  if (ebr >= end) throw fail(`sector ${ebr}, expected one of the extended partition, ${extended.start} to ${end - 1}`);
  if (visited.has(ebr)) throw fail('the chain comes back to it');
  if (visited.size >= MAX_PARTITIONS) throw fail(`the chain has more than ${MAX_PARTITIONS} links`);
  visited.add(ebr);
}

/**
 * Writes the table: first the extended boot records, then the master boot record, whose boot code stays.
 *
 * @throws {RangeError} for a logical partition without extended partition or record, and
 * for one at the start of the extended partition that is not number 5. @throws {VolumeError} `io`.
 */
export function* writePartitionTable(device: SectorDevice, table: PartitionTable): Task {
  const geometry = diskGeometry(device.sectors);
  const logical = table.partitions.filter(({ number }) => number > 4);
  const extended = table.partitions.find(({ type, number }) => number <= 4 && isExtended(type));
  if (extended !== undefined) yield* writeLogical(device, geometry, extended, logical);
  else if (logical.length > 0) throw new RangeError(`partition ${logical[0]!.number} has no extended partition`);
  const entries = [1, 2, 3, 4].map((number) => {
    const partition = table.partitions.find((candidate) => candidate.number === number);
    return partition === undefined ? UNUSED_ENTRY : entryOf(partition, geometry, 0);
  });
  yield* writePartitionSector(device, 0, { signature: table.signature, entries });
}

/** Without a logical partition the first record is there all the same, and empty. */
function* writeLogical(
  device: SectorDevice,
  geometry: DiskGeometry,
  extended: Partition,
  logical: readonly Partition[],
): Task {
  const records = logical.map(({ number, ebr }) => {
    if (ebr === undefined) throw new RangeError(`logical partition ${number} has no extended boot record`);
    return ebr;
  });
  // The chain starts at the head of the extended partition, whether or not there is a partition behind it.
  if (records.indexOf(extended.start) > 0) {
    throw new RangeError(
      `logical partition ${logical[records.indexOf(extended.start)]!.number} is the first of its chain`,
    );
  }
  if (records[0] !== extended.start) records.unshift(extended.start);
  for (const [i, ebr] of records.entries()) {
    const partition = logical.find((candidate) => candidate.ebr === ebr);
    const own = partition === undefined ? UNUSED_ENTRY : entryOf(partition, geometry, ebr);
    const next = i + 1 < records.length ? linkTo(records[i + 1]!, extended, logical, geometry) : UNUSED_ENTRY;
    const entries = [own, next, UNUSED_ENTRY, UNUSED_ENTRY];
    yield* writePartitionSector(device, ebr, { signature: 0, entries });
  }
}

/** The entry that names the next record: it covers the record and its partition. */
function linkTo(
  ebr: number,
  extended: Partition,
  logical: readonly Partition[],
  geometry: DiskGeometry,
): PartitionEntry {
  const partition = logical.find((candidate) => candidate.ebr === ebr)!;
  const sectors = partition.start + partition.sectors - ebr;
  const whole = { number: 0, isActive: false, type: PartitionType.extended, start: ebr, sectors };
  return entryOf(whole, geometry, extended.start);
}

function entryOf(partition: Partition, geometry: DiskGeometry, base: number): PartitionEntry {
  const { start, sectors } = partition;
  return {
    boot: partition.isActive ? 0x80 : 0,
    first: chsOf(start, geometry),
    type: partition.type,
    last: chsOf(start + sectors - 1, geometry),
    start: start - base,
    sectors,
  };
}

function* writePartitionSector(device: SectorDevice, sector: number, content: PartitionSector): Task {
  const bytes = yield* readSectors(device, sector, 1);
  encodePartitionSector(bytes, content);
  yield* writeSectors(device, sector, bytes);
}
