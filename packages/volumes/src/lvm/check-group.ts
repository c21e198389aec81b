import { usedRuns } from './extents.js';
import type { LogicalVolume, Segment, VolumeGroup } from './volume-group.js';

/**
 * Everything that is wrong with a group, in plain sentences; empty when it is right.
 *
 * Identifiers and names are there once; the segments of each volume follow one another from extent 0; every stripe lies
 * inside its physical volume, and no physical extent has two owners.
 */
export function checkGroup(group: VolumeGroup): readonly string[] {
  const found: string[] = [];
  if (group.extentSize <= 0) found.push(`extent_size ${group.extentSize}, expected more than 0`);
  const { physicalVolumes, logicalVolumes } = group;
  found.push(
    ...twice(
      'physical volume',
      physicalVolumes.map(({ key }) => key),
    ),
  );
  found.push(
    ...twice(
      'physical volume',
      physicalVolumes.map(({ id }) => id),
    ),
  );
  found.push(
    ...twice(
      'logical volume',
      logicalVolumes.map(({ name }) => name),
    ),
  );
  found.push(
    ...twice(
      'logical volume',
      logicalVolumes.map(({ id }) => id),
    ),
  );
  const known = new Set([...physicalVolumes.map(({ key }) => key), ...logicalVolumes.map(({ name }) => name)]);
  for (const volume of logicalVolumes) found.push(...checkSegments(volume, known));
  for (const physicalVolume of physicalVolumes) {
    let end = 0;
    let owner = '';
    for (const { start, count, volume } of usedRuns(group, physicalVolume)) {
      const where = `extents ${start} to ${start + count - 1} of ${physicalVolume.key}`;
      if (start < end) found.push(`${where} are of ${owner} and of ${volume}`);
      if (start + count > physicalVolume.peCount) {
        found.push(`${where} are of ${volume}, and it has ${physicalVolume.peCount}`);
      }
      end = Math.max(end, start + count);
      owner = volume;
    }
  }
  return found;
}

function twice(what: string, names: readonly string[]): string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  for (const name of names) {
    if (seen.has(name)) found.push(`${what} ${name} is there twice`);
    seen.add(name);
  }
  return found;
}

function checkSegments({ name, segments }: LogicalVolume, known: ReadonlySet<string>): string[] {
  const found: string[] = [];
  if (segments.length === 0) found.push(`${name} has no segment`);
  let end = 0;
  for (const segment of segments) {
    const { startExtent, extentCount } = segment;
    if (startExtent !== end) found.push(`a segment of ${name} begins at extent ${startExtent}, expected ${end}`);
    if (extentCount <= 0) found.push(`a segment of ${name} has ${extentCount} extents`);
    found.push(...checkStripes(name, segment, known));
    end = startExtent + extentCount;
  }
  return found;
}

function checkStripes(name: string, { extentCount, type, stripes }: Segment, known: ReadonlySet<string>): string[] {
  if (type !== 'striped') return [];
  if (stripes.length === 0) return [`a segment of ${name} has no stripe`];
  const found = stripes.filter(({ on }) => !known.has(on)).map(({ on }) => `${name} lies on ${on}, which is not there`);
  if (extentCount % stripes.length !== 0) found.push(`${extentCount} extents of ${name} on ${stripes.length} stripes`);
  return found;
}
