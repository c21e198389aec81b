import { type Errno, isErrno, type Task } from '@quorate/kernel';
import type { BlockStore } from '@quorate/scsi';
import { VolumeError } from './volume-error.js';

/** Sectors of every structure here, in bytes. */
export const SECTOR_BYTES = 512;

/**
 * A disk, a partition or a file as partitions and volumes are read and written: in tasks, because a cluster node sends
 * a SCSI command for each transfer and waits. Over a `BlockStore` nothing waits: `storeDevice` and `finish`.
 */
export interface SectorDevice {
  /** `/dev/sdb1`. */
  readonly path: string;
  /** Size in sectors of 512 bytes. */
  readonly sectors: number;
  /** The bytes are lent until the next yield. */
  read(sector: number, count: number): Task<Uint8Array | Errno>;
  /** Whole sectors, on the medium when it returns. */
  write(sector: number, bytes: Uint8Array): Task<Errno | undefined>;
}

/** Reads sectors and copies them. @throws {VolumeError} `io` when the device refuses, or ends before them. */
export function* readSectors(device: SectorDevice, sector: number, count: number): Task<Uint8Array<ArrayBuffer>> {
  checkRange(device, sector, count);
  const bytes = yield* device.read(sector, count);
  if (isErrno(bytes)) throw new VolumeError('io', `${device.path}: read of sectors ${sector} + ${count}: ${bytes}`);
  if (bytes.length < count * SECTOR_BYTES) {
    throw new VolumeError('io', `${device.path}: read of sectors ${sector} + ${count} gave ${bytes.length} bytes`);
  }
  return bytes.slice(0, count * SECTOR_BYTES) as Uint8Array<ArrayBuffer>;
}

/** Writes whole sectors. @throws {VolumeError} `io` when the device refuses, or ends before them. */
export function* writeSectors(device: SectorDevice, sector: number, bytes: Uint8Array): Task {
  checkRange(device, sector, bytes.length / SECTOR_BYTES);
  const errno = yield* device.write(sector, bytes);
  if (errno === undefined) return;
  throw new VolumeError('io', `${device.path}: write of sectors ${sector} + ${bytes.length / SECTOR_BYTES}: ${errno}`);
}

function checkRange(device: SectorDevice, sector: number, count: number): void {
  if (sector >= 0 && count >= 0 && sector + count <= device.sectors) return;
  throw new VolumeError(
    'io',
    `${device.path} has ${device.sectors} sectors: there are no sectors ${sector} + ${count}`,
  );
}

/** A store as a device that never waits. @throws {RangeError} for blocks that are not 512 bytes. */
export function storeDevice(path: string, store: BlockStore): SectorDevice {
  if (store.blockLength !== SECTOR_BYTES) throw new RangeError(`blockLength ${store.blockLength}: expected 512`);
  return {
    path,
    sectors: store.blocks,
    *read(sector, count) {
      const bytes = new Uint8Array(count * SECTOR_BYTES);
      store.read(sector, count, bytes);
      return bytes;
    },
    *write(sector, bytes) {
      store.write(sector, bytes);
      store.flush();
      return undefined;
    },
  };
}

/** Runs a task that waits for nothing to its end. @throws {TypeError} when it does wait: it needs a task runner. */
export function finish<Result>(task: Task<Result>): Result {
  const step = task.next();
  if (step.done === true) return step.value;
  throw new TypeError('the task waits for its device: run it in a task runner');
}
