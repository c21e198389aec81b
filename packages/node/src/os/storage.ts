import type { Observe, Prng } from '@quorate/kernel';
import type { ConfigNode, VolumesFact } from '@quorate/volumes';
import type { DeviceMapper } from './device-mapper.js';
import type { Disks } from './disks.js';
import type { Partitions } from './partitions.js';

/** The block devices of a machine: its disks, what their tables divide them into, and the volumes that are mapped onto those. */
export interface Storage {
  readonly disks: Disks;
  readonly partitions: Partitions;
  readonly mapper: DeviceMapper;
  /** Name that a tag of this machine has. */
  readonly hostname: string;
  /** What lvm.conf says now. */
  configuration(): readonly ConfigNode[];
  /** For identifiers of new volumes and groups. */
  readonly prng: Prng;
  readonly observe: Observe<VolumesFact> | undefined;
}
