import { VolumeError } from '../volume-error.js';
import { diskGeometry, sectorsPerCylinder } from './geometry.js';
import { MAX_PARTITIONS, type Partition, type PartitionTable } from './partition-table.js';
import { isExtended, PartitionType } from './partition-type.js';

/** What is asked of a new partition, in the answers that fdisk takes in cylinder mode. */
export interface NewPartition {
  /** Size of the disk in sectors of 512 bytes. What lies behind 2 TiB is out of reach and left alone. */
  readonly diskSectors: number;
  readonly kind: 'primary' | 'extended' | 'logical';
  /** 1 to 4; the first one free when left out. Not for a logical partition, which gets the next number. */
  readonly number?: number;
  /** From 1; the first free cylinder when left out. */
  readonly firstCylinder?: number;
  /** `+30G`, `+4000M`, `+100` (cylinders), `3917`; the last free cylinder when left out. */
  readonly last?: string;
  /** Default 0x83, or 0x05 for an extended one. */
  readonly type?: number;
}

/**
 * Adds a partition as fdisk in cylinder mode (`-c=dos -u=cylinders`, the default of RHEL 6) does: it ends on a cylinder,
 * begins on one, and a track later where a boot record stands before it.
 *
 * @throws {VolumeError} `exists` for a number in use or a second extended partition, `bad-argument` for cylinders out
 * of range, `no-space` when there is none free.
 * Source: util-linux-ng 2.17 fdisk/fdisk.c, `add_partition`, `read_int`.
 */
export function addPartition(table: PartitionTable, wanted: NewPartition): PartitionTable {
  const cylinders = new FreeCylinders(table, wanted);
  const number = wanted.kind === 'logical' ? nextLogical(table) : freeNumber(table, wanted.number);
  if (wanted.kind === 'extended' && extendedOf(table) !== undefined) {
    throw new VolumeError('exists', `partition ${extendedOf(table)!.number} is extended: there can be one only`);
  }
  const first = cylinders.first(wanted.firstCylinder);
  const last = cylinders.last(first, wanted.last);
  const boundary = (first - 1) * cylinders.unit;
  const record = wanted.kind === 'logical' ? { ebr: cylinders.recordAt(boundary) } : {};
  // A boot record has the first track of its cylinder to itself.
  const track = diskGeometry(wanted.diskSectors).sectorsPerTrack;
  const start = record.ebr !== undefined ? record.ebr + track : first === 1 ? track : boundary;
  const type = wanted.type ?? (wanted.kind === 'extended' ? PartitionType.extended : PartitionType.linux);
  const sectors = last * cylinders.unit - start;
  const added: Partition = { number, isActive: false, type, start, sectors, ...record };
  const partitions = cylinders.beginsChain(record.ebr) ? asFirstLogical(table, added) : [...table.partitions, added];
  return { ...table, partitions: [...partitions].sort((a, b) => a.number - b.number) };
}

/** The record at the start of the extended partition begins the chain, by whose order logical partitions are numbered. */
function asFirstLogical(table: PartitionTable, added: Partition): readonly Partition[] {
  const moved = table.partitions.map((each) => (each.number > 4 ? { ...each, number: each.number + 1 } : each));
  return [...moved, { ...added, number: 5 }];
}

/** Takes a partition away, as fdisk's `d`; an extended one with all logical ones, of which those behind move up. @throws {VolumeError} `not-found`. */
export function removePartition(table: PartitionTable, number: number): PartitionTable {
  const gone = partitionOf(table, number);
  const takesLogical = number <= 4 && isExtended(gone.type);
  const rest = table.partitions.filter((each) => each !== gone && !(takesLogical && each.number > 4));
  const isBehind = (each: Partition) => number > 4 && each.number > number;
  return { ...table, partitions: rest.map((each) => (isBehind(each) ? { ...each, number: each.number - 1 } : each)) };
}

/** Sets the type of a partition, as fdisk's `t`. @throws {VolumeError} `not-found`. */
export function setPartitionType(table: PartitionTable, number: number, type: number): PartitionTable {
  const changed = partitionOf(table, number);
  return { ...table, partitions: table.partitions.map((each) => (each === changed ? { ...each, type } : each)) };
}

function partitionOf(table: PartitionTable, number: number): Partition {
  const partition = table.partitions.find((each) => each.number === number);
  if (partition !== undefined) return partition;
  throw new VolumeError('not-found', `Partition ${number} does not exist yet!`);
}

function extendedOf(table: PartitionTable): Partition | undefined {
  return table.partitions.find(({ number, type }) => number <= 4 && isExtended(type));
}

function nextLogical(table: PartitionTable): number {
  const number = Math.max(4, ...table.partitions.map((each) => each.number)) + 1;
  if (number <= MAX_PARTITIONS) return number;
  throw new VolumeError('no-space', 'The maximum number of partitions has been created');
}

function freeNumber(table: PartitionTable, wanted: number | undefined): number {
  const isFree = (number: number) => !table.partitions.some((partition) => partition.number === number);
  const number = wanted ?? [1, 2, 3, 4].find(isFree);
  if (number === undefined) throw new VolumeError('exists', 'all four primary partitions are in use');
  if (!(number >= 1 && number <= 4)) throw new VolumeError('bad-argument', `number ${number}, expected 1 to 4`);
  if (!isFree(number)) throw new VolumeError('exists', `Partition ${number} is already defined.`);
  return number;
}

/** As many as the 32 bits of an entry count. */
const MAX_SECTORS = 0xffff_ffff;

/** The cylinders, from 1, in which a new partition may lie. */
class FreeCylinders {
  readonly unit: number;
  readonly #from: number;
  readonly #to: number;
  /** Partitions that take room where the new one would: all primary ones, or the logical ones. */
  readonly #others: readonly Partition[];
  readonly #extended: Partition | undefined;

  constructor(table: PartitionTable, wanted: NewPartition) {
    const geometry = diskGeometry(Math.min(wanted.diskSectors, MAX_SECTORS));
    this.unit = sectorsPerCylinder(geometry);
    const isLogical = wanted.kind === 'logical';
    this.#extended = isLogical ? extendedOf(table) : undefined;
    if (isLogical && this.#extended === undefined) throw new VolumeError('not-found', 'there is no extended partition');
    this.#others = table.partitions.filter(({ number }) => number > 4 === isLogical);
    this.#from = this.#extended === undefined ? 1 : this.#cylinderOf(this.#extended.start);
    this.#to = this.#extended === undefined ? geometry.cylinders : this.#lastCylinderOf(this.#extended);
  }

  first(wanted: number | undefined): number {
    if (wanted !== undefined) {
      if (Number.isInteger(wanted) && wanted >= this.#from && wanted <= this.#to && this.#isFree(wanted)) return wanted;
      const why = `first cylinder ${wanted}, expected a free one of ${this.#from} to ${this.#to}`;
      throw new VolumeError('bad-argument', why);
    }
    for (let cylinder = this.#from; cylinder <= this.#to; ) {
      const inTheWay = this.#at(cylinder);
      if (inTheWay === undefined) return cylinder;
      cylinder = this.#lastCylinderOf(inTheWay) + 1;
    }
    throw new VolumeError('no-space', 'No free sectors available');
  }

  last(first: number, wanted: string | undefined): number {
    const limit = this.#limitFrom(first);
    const last = wanted === undefined ? limit : this.#parse(first, wanted);
    if (last >= first && last <= limit) return last;
    throw new VolumeError('bad-argument', `last cylinder ${last}, expected ${first} to ${limit}`);
  }

  /** Where the extended boot record of a logical partition stands: an extended partition in cylinder 1 begins a track later. */
  recordAt(boundary: number): number {
    return Math.max(boundary, this.#extended!.start);
  }

  beginsChain(record: number | undefined): boolean {
    return record !== undefined && record === this.#extended?.start;
  }

  #limitFrom(first: number): number {
    const behind = this.#others.map(({ start }) => this.#cylinderOf(start)).filter((cylinder) => cylinder > first);
    return Math.min(this.#to, ...behind.map((cylinder) => cylinder - 1));
  }

  /** A size is rounded to whole cylinders and counted from the first one on. */
  #parse(first: number, text: string): number {
    const [, plus, digits, suffix] = /^(\+?)(\d{1,15})([KMG]?)$/i.exec(text) ?? [];
    if (digits === undefined || (plus === '' && suffix !== '')) {
      throw new VolumeError('bad-argument', `last cylinder "${text}", expected a number, +cylinders or +size{K,M,G}`);
    }
    if (plus === '') return Number(digits);
    if (suffix === '') return first + Number(digits);
    const bytes = Number(digits) * 1024 ** (1 + 'KMG'.indexOf(suffix!.toUpperCase()));
    return first + Math.floor((bytes + (this.unit * 512) / 2) / (this.unit * 512));
  }

  #isFree(cylinder: number): boolean {
    return this.#at(cylinder) === undefined;
  }

  #at(cylinder: number): Partition | undefined {
    return this.#others.find(
      (other) => this.#cylinderOf(other.start) <= cylinder && this.#lastCylinderOf(other) >= cylinder,
    );
  }

  #cylinderOf(sector: number): number {
    return Math.floor(sector / this.unit) + 1;
  }

  #lastCylinderOf({ start, sectors }: Partition): number {
    return this.#cylinderOf(start + sectors - 1);
  }
}
