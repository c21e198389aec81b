import type { ConfigNode } from './config-text.js';

/** A volume group: what the text in its metadata areas says. All of it is plain data; operations give a new one. */
export interface VolumeGroup {
  readonly name: string;
  readonly id: string;
  /** Rises by 1 with each text that is written. 0: none was yet. */
  readonly seqno: number;
  /** `RESIZEABLE`, `READ`, `WRITE`, `CLUSTERED`, `EXPORTED`, … */
  readonly status: readonly string[];
  readonly flags: readonly string[];
  readonly tags: readonly string[];
  /** In sectors of 512 bytes; 8192 are 4 MiB. */
  readonly extentSize: number;
  /** 0: no limit. */
  readonly maxLv: number;
  /** 0: no limit. */
  readonly maxPv: number;
  readonly physicalVolumes: readonly PhysicalVolume[];
  readonly logicalVolumes: readonly LogicalVolume[];
  /** What newer versions say besides, kept as it is. */
  readonly other: readonly ConfigNode[];
}

/** A physical volume as its group knows it. */
export interface PhysicalVolume {
  /** Name within the text: `pv0`. */
  readonly key: string;
  readonly id: string;
  /** Where it was seen last. A hint only: the identifier decides. */
  readonly device: string;
  /** `ALLOCATABLE`, `EXPORTED`. */
  readonly status: readonly string[];
  /** `MISSING`. */
  readonly flags: readonly string[];
  readonly tags: readonly string[];
  /** Of the device, in sectors. */
  readonly devSize: number;
  /** First sector of extent 0. */
  readonly peStart: number;
  /** Physical extents. */
  readonly peCount: number;
  readonly other: readonly ConfigNode[];
}

export interface LogicalVolume {
  readonly name: string;
  readonly id: string;
  /** `READ`, `WRITE`, `VISIBLE`, `FIXED_MINOR`, … */
  readonly status: readonly string[];
  readonly flags: readonly string[];
  readonly tags: readonly string[];
  /** Seconds since 1970; absent in what old versions wrote. */
  readonly creationTime?: number;
  readonly creationHost?: string;
  /** In ascending order, without gaps. */
  readonly segments: readonly Segment[];
  readonly other: readonly ConfigNode[];
}

/** A run of a logical volume's extents. */
export interface Segment {
  readonly startExtent: number;
  readonly extentCount: number;
  /** `striped`, which with one stripe is linear; other types are kept, but neither made nor mapped here. */
  readonly type: string;
  /** Of a striped segment: each has `extentCount` / stripes physical extents. Empty for other types. */
  readonly stripes: readonly Stripe[];
  readonly other: readonly ConfigNode[];
}

/** Where a stripe begins: an extent of a physical volume. */
export interface Stripe {
  /** Key of the physical volume, or the name of a hidden logical volume. */
  readonly on: string;
  readonly extent: number;
}

/** Whether the segment is one stripe on a physical volume. */
export function isLinear({ type, stripes }: Segment): boolean {
  return type === 'striped' && stripes.length === 1;
}

/** Extents of a logical volume. */
export function extentsOf(volume: LogicalVolume): number {
  return volume.segments.reduce((sum, { extentCount }) => sum + extentCount, 0);
}

export function isClustered(group: VolumeGroup): boolean {
  return group.status.includes('CLUSTERED');
}

export function findVolume(group: VolumeGroup, name: string): LogicalVolume | undefined {
  return group.logicalVolumes.find((volume) => volume.name === name);
}

/** Volumes that are no part of others. */
export function visibleVolumes(group: VolumeGroup): readonly LogicalVolume[] {
  return group.logicalVolumes.filter(({ status }) => status.includes('VISIBLE'));
}
