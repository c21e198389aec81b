import { VolumeError } from '../volume-error.js';
import { isLinear, type VolumeGroup } from './volume-group.js';
import { volumeOf } from './volume-operations.js';

/** A run of a logical volume's sectors, and where it lies. In sectors of 512 bytes. */
export interface MappedSegment {
  readonly start: number;
  readonly sectors: number;
  /** Identifier of the physical volume. */
  readonly physicalVolumeId: string;
  /** First sector on the device of the physical volume. */
  readonly physicalStart: number;
}

/**
 * How device-mapper maps an active volume, in ascending order and without gaps.
 *
 * @throws {VolumeError} `not-found`; `unsupported` for a volume that is not linear; `inconsistent` when a physical volume
 * that it needs is marked as missing.
 */
export function mapVolume(group: VolumeGroup, name: string): readonly MappedSegment[] {
  const volume = volumeOf(group, name);
  return volume.segments.map((segment) => {
    const physicalVolume = group.physicalVolumes.find(({ key }) => key === segment.stripes[0]?.on);
    if (!isLinear(segment) || physicalVolume === undefined) {
      throw new VolumeError('unsupported', `${group.name}/${name} has a ${segment.type} segment, expected linear ones`);
    }
    if (physicalVolume.flags.includes('MISSING')) {
      throw new VolumeError('inconsistent', `${group.name}/${name} lies on ${physicalVolume.device}, which is missing`);
    }
    return {
      start: segment.startExtent * group.extentSize,
      sectors: segment.extentCount * group.extentSize,
      physicalVolumeId: physicalVolume.id,
      physicalStart: physicalVolume.peStart + segment.stripes[0]!.extent * group.extentSize,
    };
  });
}

/** The lines of `dmsetup table`: `0 41943040 linear 8:17 2048`. `deviceOf` gives `major:minor` of a physical volume. */
export function mapperTable(
  segments: readonly MappedSegment[],
  deviceOf: (physicalVolumeId: string) => string,
): string {
  return segments
    .map((each) => `${each.start} ${each.sectors} linear ${deviceOf(each.physicalVolumeId)} ${each.physicalStart}\n`)
    .join('');
}
