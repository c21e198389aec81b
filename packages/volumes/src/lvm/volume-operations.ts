import { VolumeError } from '../volume-error.js';
import { allocateLinear } from './allocate.js';
import { checkName } from './names.js';
import { isUuid } from './uuid.js';
import { extentsOf, findVolume, isLinear, type LogicalVolume, type Segment, type VolumeGroup } from './volume-group.js';

export interface NewVolume {
  readonly name: string;
  /** Identifier, from `newUuid`. */
  readonly id: string;
  /** Physical extents; `extentsFor` reckons them from a size. */
  readonly extents: number;
  /** Who makes it, and when in seconds since 1970. */
  readonly creationHost: string;
  readonly creationTime: number;
  /** Identifiers of the physical volumes that may be used; all by default. */
  readonly on?: readonly string[];
}

/** Extents that hold that many bytes, rounded up as lvcreate does. */
export function extentsFor({ extentSize }: VolumeGroup, bytes: number): number {
  return Math.ceil(bytes / (extentSize * 512));
}

/**
 * Adds a linear volume, as `lvcreate`. Nothing is written: `commitGroup` does.
 *
 * @throws {VolumeError} `bad-name`, `exists`, `bad-argument` for extents, `no-space`, `unsupported` for an exported or
 * read-only group. @throws {RangeError} for an identifier that is none.
 */
export function createVolume(group: VolumeGroup, wanted: NewVolume): VolumeGroup {
  checkWritable(group);
  checkName('logical volume', wanted.name);
  if (!isUuid(wanted.id)) throw new RangeError(`id "${wanted.id}": expected 32 characters with dashes`);
  if (findVolume(group, wanted.name) !== undefined) {
    const why = `Logical volume "${wanted.name}" already exists in volume group "${group.name}"`;
    throw new VolumeError('exists', why);
  }
  if (group.maxLv > 0 && group.logicalVolumes.length >= group.maxLv) {
    throw new VolumeError(
      'no-space',
      `Maximum number of logical volumes (${group.maxLv}) reached in volume group ${group.name}`,
    );
  }
  checkExtents(wanted.extents);
  const volume: LogicalVolume = {
    name: wanted.name,
    id: wanted.id,
    status: ['READ', 'WRITE', 'VISIBLE'],
    flags: [],
    tags: [],
    creationTime: wanted.creationTime,
    creationHost: wanted.creationHost,
    segments: allocateLinear(group, wanted.extents, [], ({ id }) => wanted.on?.includes(id) ?? true),
    other: [],
  };
  return { ...group, logicalVolumes: [...group.logicalVolumes, volume] };
}

/** Makes a linear volume longer by that many extents, as `lvextend -l +n`. @throws {VolumeError} also `not-found` */
export function extendVolume(group: VolumeGroup, name: string, extents: number): VolumeGroup {
  const volume = linearVolume(group, name);
  checkExtents(extents);
  return withSegments(
    group,
    volume,
    allocateLinear(group, extents, volume.segments, () => true),
  );
}

/** Cuts a linear volume by that many extents from its end, as `lvreduce -l -n`. @throws {VolumeError} also `not-found` */
export function reduceVolume(group: VolumeGroup, name: string, extents: number): VolumeGroup {
  const volume = linearVolume(group, name);
  checkExtents(extents);
  const end = extentsOf(volume) - extents;
  if (end < 1) throw new VolumeError('bad-argument', `New size of ${end} not permitted`);
  const segments = volume.segments
    .filter(({ startExtent }) => startExtent < end)
    .map((each): Segment => ({ ...each, extentCount: Math.min(each.extentCount, end - each.startExtent) }));
  return withSegments(group, volume, segments);
}

/** Takes a volume away, as `lvremove`; the caller knows that it is not active. @throws {VolumeError} `not-found`, … */
export function removeVolume(group: VolumeGroup, name: string): VolumeGroup {
  const volume = linearVolume(group, name);
  return { ...group, logicalVolumes: group.logicalVolumes.filter((each) => each !== volume) };
}

/** @throws {VolumeError} `not-found` */
export function volumeOf(group: VolumeGroup, name: string): LogicalVolume {
  const volume = findVolume(group, name);
  if (volume !== undefined) return volume;
  throw new VolumeError('not-found', `Failed to find logical volume "${group.name}/${name}"`);
}

/** Other kinds of volumes depend on hidden ones, which is more than is known here. */
function linearVolume(group: VolumeGroup, name: string): LogicalVolume {
  checkWritable(group);
  const volume = volumeOf(group, name);
  const other = volume.segments.find((segment) => !isLinear(segment));
  if (other === undefined) return volume;
  const found = other.type === 'striped' ? `${other.stripes.length} stripes` : `a segment of type ${other.type}`;
  throw new VolumeError('unsupported', `${group.name}/${name} has ${found}, expected a linear volume`);
}

function withSegments(group: VolumeGroup, volume: LogicalVolume, segments: readonly Segment[]): VolumeGroup {
  const logicalVolumes = group.logicalVolumes.map((each) => (each === volume ? { ...volume, segments } : each));
  return { ...group, logicalVolumes };
}

function checkWritable({ name, status }: VolumeGroup): void {
  if (status.includes('EXPORTED')) throw new VolumeError('unsupported', `Volume group "${name}" is exported`);
  if (!status.includes('WRITE')) throw new VolumeError('unsupported', `Volume group "${name}" is read-only`);
}

function checkExtents(extents: number): void {
  if (Number.isSafeInteger(extents) && extents > 0) return;
  throw new VolumeError('bad-argument', `${extents} extents, expected a whole number from 1 on`);
}
