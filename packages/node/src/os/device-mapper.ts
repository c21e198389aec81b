import type { Nanos, Observe } from '@quorate/kernel';
import { type MappedSegment, mapperName, type VolumesFact } from '@quorate/volumes';
import { type BlockDevice, type Disks, diskOf, type Extent, isOnSameDisk } from './disks.js';

/** Major of device-mapper's devices in RHEL 6. */
const MAJOR = 253;

/** A logical volume that is to be mapped. */
export interface VolumeMapping {
  readonly group: string;
  readonly isClustered: boolean;
  readonly name: string;
  /** Identifier of the volume, with dashes. */
  readonly id: string;
  readonly segments: readonly MappedSegment[];
  /** Device of a physical volume, by its identifier. */
  deviceOf(physicalVolumeId: string): BlockDevice;
}

/** A logical volume that is a device of this machine. */
export interface ActiveVolume {
  readonly group: string;
  readonly isClustered: boolean;
  readonly name: string;
  readonly device: BlockDevice;
  /** `major:minor`. */
  readonly number: string;
}

interface Mapped extends ActiveVolume {
  readonly minor: number;
  /** What it lies on, and keeps open. */
  readonly below: readonly BlockDevice[];
}

/** The kernel's part of LVM: maps logical volumes onto the devices that they lie on. */
export class DeviceMapper {
  readonly #disks: Disks;
  readonly #now: () => Nanos;
  readonly #observe: Observe<VolumesFact> | undefined;
  /** By the identifier of the volume. */
  readonly #mapped = new Map<string, Mapped>();

  constructor(disks: Disks, now: () => Nanos, observe: Observe<VolumesFact> | undefined) {
    this.#disks = disks;
    this.#now = now;
    this.#observe = observe;
  }

  /** Those that are active, by their identifiers. */
  get active(): ReadonlyMap<string, ActiveVolume> {
    return this.#mapped;
  }

  /**
   * Makes a volume a device: `/dev/mapper/my--vg1-my--store1`, `/dev/my-vg1/my-store1`, `/dev/dm-0`. One that is active stays as it is.
   *
   * 'EINVAL' when a segment ends behind the device that it lies on.
   */
  map(volume: VolumeMapping): 'EINVAL' | undefined {
    return this.#mapped.has(volume.id) ? undefined : this.#load(volume, this.#freeMinor());
  }

  /**
   * A volume that is a device gets another size or lies elsewhere; whoever has it open keeps what it knows of it. Sectors that
   * it had stay where they are, so that a transfer that is under way does no harm. 'EINVAL' as for `map`.
   */
  reload(volume: VolumeMapping): 'EINVAL' | undefined {
    const before = this.#mapped.get(volume.id);
    if (before === undefined) return undefined;
    const refused = this.#load(volume, before.minor);
    if (refused === undefined) for (const each of before.below) this.#disks.close(each);
    return refused;
  }

  #load(volume: VolumeMapping, minor: number): 'EINVAL' | undefined {
    const { group, isClustered, name, id, segments } = volume;
    const below = new Set<BlockDevice>();
    const extents: Extent[] = [];
    for (const { physicalVolumeId, physicalStart, sectors } of segments) {
      const on = volume.deviceOf(physicalVolumeId);
      if (physicalStart + sectors > on.blocks) return 'EINVAL';
      below.add(on);
      extents.push({ ...diskOf(on), start: on.start + physicalStart, blocks: sectors });
    }
    const number = `${MAJOR}:${minor}`;
    const device = deviceOf(`/dev/mapper/${mapperName(group, name)}`, joined(extents), [
      `/dev/block/${number}`,
      `/dev/dm-${minor}`,
      `/dev/${group}/${name}`,
    ]);
    for (const each of below) this.#disks.open(each);
    this.#disks.add(device);
    this.#mapped.set(id, { group, isClustered, name, device, number, minor, below: [...below] });
    this.#observe?.({ kind: 'volumes.activated', now: this.#now(), volumeId: id, segments });
    return undefined;
  }

  /** 'EBUSY' while it is open. One that is not active stays so. */
  unmap(id: string): 'EBUSY' | undefined {
    const volume = this.#mapped.get(id);
    if (volume === undefined) return undefined;
    if (this.openCount(id) > 0) return 'EBUSY';
    this.#disks.remove(volume.device);
    for (const each of volume.below) this.#disks.close(each);
    this.#mapped.delete(id);
    this.#observe?.({ kind: 'volumes.deactivated', now: this.#now(), volumeId: id });
    return undefined;
  }

  /** How often the volume of that identifier is open; 0 when it is not active. */
  openCount(id: string): number {
    const volume = this.#mapped.get(id);
    return volume === undefined ? 0 : this.#disks.openCount(volume.device.path);
  }

  #freeMinor(): number {
    const taken = new Set([...this.#mapped.values()].map(({ minor }) => minor));
    let minor = 0;
    while (taken.has(minor)) minor += 1;
    return minor;
  }
}

function deviceOf(path: string, extents: readonly Extent[], aliases: readonly string[]): BlockDevice {
  const { start } = extents[0]!;
  const blocks = extents.reduce((sum, each) => sum + each.blocks, 0);
  return { path, aliases, ...diskOf(extents[0]!), start, blocks, ...(extents.length > 1 && { extents }) };
}

/** Extents that go on where the one before ends become one. */
function joined(extents: readonly Extent[]): readonly Extent[] {
  const out: Extent[] = [];
  for (const extent of extents) {
    const last = out.at(-1);
    if (last !== undefined && isOnSameDisk(last, extent) && last.start + last.blocks === extent.start) {
      out[out.length - 1] = { ...last, blocks: last.blocks + extent.blocks };
    } else out.push(extent);
  }
  return out;
}
