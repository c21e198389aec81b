import type { Task } from '@quorate/kernel';
import {
  type FoundGroup,
  isClustered,
  mapVolume,
  passesVolumeList,
  type SectorDevice,
  scanVolumes,
  VolumeError,
  type VolumeScan,
} from '@quorate/volumes';
import type { VolumeMapping } from './device-mapper.js';
import { sectorDevice } from './sector-device.js';
import type { Storage } from './storage.js';

/** Looks for physical volumes on whatever may be one: partitions, and disks without any. Volumes are not looked into. */
export function* scanStorage({ disks, partitions, mapper }: Storage): Task<VolumeScan> {
  const volumes = new Set([...mapper.active.values()].map(({ device }) => device));
  const candidates = disks.devices().filter((device) => !volumes.has(device) && partitions.of(device).length === 0);
  const devices = candidates.map(sectorDevice);
  try {
    return yield* scanVolumes(devices);
  } catch (error) {
    if (!isFailedRead(error)) throw error;
    return yield* scanAnswering(devices);
  }
}

/** What cannot be read hides nothing but itself; where disks come and go meanwhile, nothing is found. */
function* scanAnswering(devices: readonly SectorDevice[]): Task<VolumeScan> {
  try {
    return yield* scanVolumes(yield* answering(devices));
  } catch (error) {
    if (!isFailedRead(error)) throw error;
    return { physicalVolumes: [], groups: [], defects: [] };
  }
}

function* answering(devices: readonly SectorDevice[]): Task<readonly SectorDevice[]> {
  const found: SectorDevice[] = [];
  for (const device of devices) {
    try {
      yield* scanVolumes([device]);
      found.push(device);
    } catch (error) {
      if (!isFailedRead(error)) throw error;
    }
  }
  return found;
}

function isFailedRead(error: unknown): boolean {
  return error instanceof VolumeError && error.code === 'io';
}

/**
 * Makes a volume of a group a device of this machine, unless lvm.conf leaves that to others, which is no error. Undefined, or why
 * it cannot be one.
 */
export function activate(storage: Storage, found: FoundGroup, name: string): string | undefined {
  const { disks, mapper } = storage;
  const volume = found.group.logicalVolumes.find((each) => each.name === name)!;
  if (!passesVolumeList(storage.configuration(), storage.hostname, found.group, volume)) return undefined;
  return mapped(disks, found, name, (mapping) => mapper.map(mapping));
}

/** A volume that is a device is mapped as the metadata says now. Undefined, or why it is not. */
export function reload({ disks, mapper }: Storage, found: FoundGroup, name: string): string | undefined {
  return mapped(disks, found, name, (mapping) => mapper.reload(mapping));
}

function mapped(
  disks: Storage['disks'],
  { group, members }: FoundGroup,
  name: string,
  map: (mapping: VolumeMapping) => 'EINVAL' | undefined,
): string | undefined {
  const volume = group.logicalVolumes.find((each) => each.name === name)!;
  try {
    const segments = mapVolume(group, name);
    const missing = segments.find(({ physicalVolumeId }) => !members.has(physicalVolumeId));
    if (missing !== undefined) return `Refusing activation of partial LV ${name}.  Use --partial to override.`;
    const refused = map({
      group: group.name,
      isClustered: isClustered(group),
      name,
      id: volume.id,
      segments,
      deviceOf: (id) => disks.device(members.get(id)!.device.path)!,
    });
    return refused && `device-mapper: resume ioctl on ${group.name}/${name} failed: Invalid argument`;
  } catch (error) {
    if (error instanceof VolumeError) return error.message;
    throw error;
  }
}

/** Reads the metadata for the group of that identifier. Undefined when there is none. */
export function* findGroupById(storage: Storage, groupId: string): Task<FoundGroup | undefined> {
  return (yield* scanStorage(storage)).groups.find(({ group }) => group.id === groupId);
}
