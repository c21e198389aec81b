import { SECTOR_BYTES } from '../sector-device.js';
import { VolumeError } from '../volume-error.js';
import { usedRuns } from './extents.js';
import { checkName } from './names.js';
import { type FoundPhysicalVolume, ownerOf } from './physical-volume.js';
import { isUuid } from './uuid.js';
import type { PhysicalVolume, VolumeGroup } from './volume-group.js';

/** Extents of 4 MiB, in sectors. */
export const DEFAULT_EXTENT_SIZE = 8192;

export interface NewGroup {
  readonly name: string;
  /** Identifier, from `newUuid`. */
  readonly id: string;
  /** In sectors, a power of two of at least 2 (1 KiB); 4 MiB by default. */
  readonly extentSize?: number;
  /** Whether nodes share it under clvmd, as vgcreate of RHEL 6 decides where clvmd runs; default false. */
  readonly isClustered?: boolean;
}

/**
 * A volume group of physical volumes that belong to none, as `vgcreate`. Nothing is written: `commitGroup` does.
 *
 * @throws {VolumeError} `bad-name`, `bad-argument` for an extent size, `in-use` for a physical volume of another group,
 * `no-space` for one without room for an extent. @throws {RangeError} for an identifier that is none.
 */
export function createGroup(wanted: NewGroup, members: readonly FoundPhysicalVolume[]): VolumeGroup {
  checkName('volume group', wanted.name);
  if (!isUuid(wanted.id)) throw new RangeError(`id "${wanted.id}": expected 32 characters with dashes`);
  const extentSize = wanted.extentSize ?? DEFAULT_EXTENT_SIZE;
  if (!(Number.isInteger(Math.log2(extentSize)) && extentSize >= 2)) {
    throw new VolumeError('bad-argument', `extent size of ${extentSize} sectors, expected a power of two from 2 on`);
  }
  if (members.length === 0) throw new VolumeError('bad-argument', 'Please enter physical volume name(s)');
  const empty: VolumeGroup = {
    name: wanted.name,
    id: wanted.id,
    seqno: 0,
    status: ['RESIZEABLE', 'READ', 'WRITE', ...(wanted.isClustered === true ? ['CLUSTERED'] : [])],
    flags: [],
    tags: [],
    extentSize,
    maxLv: 0,
    maxPv: 0,
    physicalVolumes: [],
    logicalVolumes: [],
    other: [],
  };
  return extendGroup(empty, members);
}

/** Adds physical volumes that belong to no group, as `vgextend`. @throws {VolumeError} as `createGroup` */
export function extendGroup(group: VolumeGroup, members: readonly FoundPhysicalVolume[]): VolumeGroup {
  return members.reduce(addPhysicalVolume, group);
}

/** Takes a physical volume out, as `vgreduce`. @throws {VolumeError} `not-found`, `in-use` when it has extents in use. */
export function reduceGroup(group: VolumeGroup, id: string): VolumeGroup {
  const physicalVolume = group.physicalVolumes.find((each) => each.id === id);
  if (physicalVolume === undefined) {
    throw new VolumeError('not-found', `Physical Volume "${id}" not found in Volume Group "${group.name}"`);
  }
  if (usedRuns(group, physicalVolume).length > 0) {
    throw new VolumeError('in-use', `Physical volume "${physicalVolume.device}" still in use`);
  }
  if (group.physicalVolumes.length === 1) {
    const why = `Can't remove final physical volume "${physicalVolume.device}" from volume group "${group.name}"`;
    throw new VolumeError('in-use', why);
  }
  return { ...group, physicalVolumes: group.physicalVolumes.filter((each) => each !== physicalVolume) };
}

/** Sets or takes away the flag that clvmd looks at, as `vgchange -c`. */
export function setClustered(group: VolumeGroup, isClustered: boolean): VolumeGroup {
  const status = group.status.filter((each) => each !== 'CLUSTERED');
  return { ...group, status: isClustered ? [...status, 'CLUSTERED'] : status };
}

function addPhysicalVolume(group: VolumeGroup, found: FoundPhysicalVolume): VolumeGroup {
  const { device, label } = found;
  const owner = ownerOf(found);
  if (owner !== undefined || group.physicalVolumes.some(({ id }) => id === label.uuid)) {
    const name = owner ?? group.name;
    throw new VolumeError('in-use', `Physical volume '${device.path}' is already in volume group '${name}'`);
  }
  const [data] = label.dataAreas;
  const devSize = Math.floor(label.deviceSize / SECTOR_BYTES);
  const peStart = Math.ceil((data?.offset ?? 0) / SECTOR_BYTES);
  const dataEnd = data === undefined || data.size === 0 ? devSize : peStart + Math.floor(data.size / SECTOR_BYTES);
  const peCount = Math.floor((Math.min(dataEnd, device.sectors) - peStart) / group.extentSize);
  if (data === undefined || peCount < 1) {
    throw new VolumeError('no-space', `${device.path} has no room for an extent of ${group.extentSize} sectors`);
  }
  const added: PhysicalVolume = {
    key: freeKey(group),
    id: label.uuid,
    device: device.path,
    status: ['ALLOCATABLE'],
    flags: [],
    tags: [],
    devSize,
    peStart,
    peCount,
    other: [],
  };
  return { ...group, physicalVolumes: [...group.physicalVolumes, added] };
}

function freeKey({ physicalVolumes }: VolumeGroup): string {
  for (let i = 0; ; i++) if (!physicalVolumes.some(({ key }) => key === `pv${i}`)) return `pv${i}`;
}
