import type { Task } from '@quorate/kernel';
import { FormatError } from '../format-error.js';
import type { SectorDevice } from '../sector-device.js';
import { VolumeError } from '../volume-error.js';
import { isIgnored } from './metadata-area.js';
import { type FoundArea, type FoundPhysicalVolume, ownerOf, readPhysicalVolume } from './physical-volume.js';
import type { VolumeGroup } from './volume-group.js';

/** What a scan of a machine's devices found. */
export interface VolumeScan {
  /** All physical volumes, in the order of the devices. */
  readonly physicalVolumes: readonly FoundPhysicalVolume[];
  /** In the order in which their first physical volumes were found. */
  readonly groups: readonly FoundGroup[];
  /** Structures that are damaged, and where. */
  readonly defects: readonly FoundDefect[];
}

export interface FoundDefect {
  readonly device: SectorDevice;
  readonly error: FormatError;
}

/** A volume group, and the devices that are its physical volumes. */
export interface FoundGroup {
  /** By the newest text that any of its areas has. */
  readonly group: VolumeGroup;
  /** By identifier. */
  readonly members: ReadonlyMap<string, FoundPhysicalVolume>;
  /** Identifiers of physical volumes that no device is. */
  readonly missing: readonly string[];
  /** Members with an area whose text is older than `group`, or damaged: the next commit writes it anew. */
  readonly stale: readonly FoundPhysicalVolume[];
}

/** Reads the devices one after the other and puts the groups together. @throws {VolumeError} `io` */
export function* scanVolumes(devices: readonly SectorDevice[]): Task<VolumeScan> {
  const physicalVolumes: FoundPhysicalVolume[] = [];
  const defects: FoundDefect[] = [];
  for (const device of devices) {
    try {
      const found = yield* readPhysicalVolume(device);
      if (found !== undefined) physicalVolumes.push(found);
      for (const { defect } of found?.areas ?? []) if (defect !== undefined) defects.push({ device, error: defect });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      defects.push({ device, error });
    }
  }
  return { physicalVolumes, groups: groupsOf(physicalVolumes), defects };
}

/**
 * The group of that name.
 *
 * @throws {VolumeError} `not-found`; `inconsistent` when two groups have the name.
 */
export function findGroup({ groups }: VolumeScan, name: string): FoundGroup {
  const [found, another] = groups.filter(({ group }) => group.name === name);
  if (found === undefined) throw new VolumeError('not-found', `Volume group "${name}" not found`);
  if (another !== undefined) {
    const ids = `${found.group.id} and ${another.group.id}`;
    throw new VolumeError('inconsistent', `two volume groups are called "${name}": ${ids}`);
  }
  return found;
}

/** Physical volumes that belong to no group: no group names them, and they name none. */
export function orphansOf({ physicalVolumes, groups }: VolumeScan): readonly FoundPhysicalVolume[] {
  const isMember = (found: FoundPhysicalVolume) =>
    groups.some(({ members }) => members.get(found.label.uuid) === found);
  return physicalVolumes.filter((found) => !isMember(found) && ownerOf(found) === undefined);
}

/** The newest text of each group, by its identifier: names can be the same, and can change. */
function groupsOf(physicalVolumes: readonly FoundPhysicalVolume[]): readonly FoundGroup[] {
  const newest = new Map<string, VolumeGroup>();
  for (const { metadata } of physicalVolumes.flatMap(({ areas }) => areas)) {
    const group = metadata?.group;
    if (group !== undefined && group.seqno > (newest.get(group.id)?.seqno ?? -1)) newest.set(group.id, group);
  }
  return [...newest.values()].map((group) => membersOf(group, physicalVolumes));
}

function membersOf(group: VolumeGroup, physicalVolumes: readonly FoundPhysicalVolume[]): FoundGroup {
  const ids = new Set(group.physicalVolumes.map(({ id }) => id));
  const members = new Map<string, FoundPhysicalVolume>();
  for (const found of physicalVolumes) {
    const { uuid } = found.label;
    if (ids.has(uuid) && !members.has(uuid)) members.set(uuid, found);
  }
  const stale = [...members.values()].filter(({ areas }) => areas.some((area) => isBehind(area, group)));
  return { group, members, missing: [...ids].filter((id) => !members.has(id)), stale };
}

function isBehind({ header, metadata, defect }: FoundArea, group: VolumeGroup): boolean {
  if (header !== undefined && isIgnored(header)) return false;
  return defect !== undefined || metadata === undefined || metadata.group.seqno < group.seqno;
}
