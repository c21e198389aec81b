import type { DeviceMapper } from './device-mapper.js';
import type { Disks } from './disks.js';
import type { Partitions } from './partitions.js';

/** The block devices of a machine: its disks, what their tables divide them into, and the volumes that are mapped onto those. */
export interface Storage {
  readonly disks: Disks;
  readonly partitions: Partitions;
  readonly mapper: DeviceMapper;
}
