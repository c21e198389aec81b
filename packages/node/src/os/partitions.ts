import type { Task } from '@quorate/kernel';
import { FormatError, isExtended, type Partition, partitionPath, readPartitionTable } from '@quorate/volumes';
import { partitionNumber } from './device-numbers.js';
import { type BlockDevice, type Disks, diskOf } from './disks.js';
import { sectorDevice } from './sector-device.js';

/** So much of an extended partition is a device: its boot record, for a boot loader. */
const EXTENDED_BLOCKS = 2;

/** The partitions of the machine's disks, as they were when their tables were read last. */
export class Partitions {
  readonly #disks: Disks;
  readonly #devices = new Map<BlockDevice, readonly BlockDevice[]>();

  constructor(disks: Disks) {
    this.#disks = disks;
  }

  of(disk: BlockDevice): readonly BlockDevice[] {
    return this.#devices.get(disk) ?? [];
  }

  /**
   * Reads the table of a disk; its partitions are devices from then on. A disk without a table, or with a damaged one, has none.
   *
   * 'EBUSY' when one that is open is no longer there as it was: then all stays.
   *
   * @throws {VolumeError} `io`
   */
  *scan(disk: BlockDevice): Task<'EBUSY' | undefined> {
    const found = yield* readDevices(disk);
    const isSame = (a: BlockDevice, b: BlockDevice): boolean =>
      a.path === b.path && a.start === b.start && a.blocks === b.blocks;
    const gone = this.of(disk).filter((before) => !found.some((device) => isSame(before, device)));
    if (gone.some(({ path }) => this.#disks.openCount(path) > 0)) return 'EBUSY';
    for (const device of gone) this.#disks.remove(device);
    for (const device of found) this.#disks.add(device);
    this.#devices.set(disk, found);
    return undefined;
  }

  /** The disk is gone, and its partitions with it. */
  forget(disk: BlockDevice): void {
    for (const device of this.of(disk)) this.#disks.remove(device);
    this.#devices.delete(disk);
  }
}

function* readDevices(disk: BlockDevice): Task<readonly BlockDevice[]> {
  try {
    const { partitions } = yield* readPartitionTable(sectorDevice(disk));
    return partitions.filter(({ start }) => start < disk.blocks).map((partition) => deviceOf(disk, partition));
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}

/** What ends behind its disk is cut off there. */
function deviceOf(disk: BlockDevice, { number, start, sectors, type }: Partition): BlockDevice {
  const numbers = partitionNumber(disk.path, number);
  return {
    path: partitionPath(disk.path, number),
    ...(numbers !== undefined && { aliases: [`/dev/block/${numbers}`] }),
    ...diskOf(disk),
    start,
    blocks: Math.min(isExtended(type) ? EXTENDED_BLOCKS : sectors, disk.blocks - start),
  };
}
