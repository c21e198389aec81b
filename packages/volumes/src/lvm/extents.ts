import type { PhysicalVolume, VolumeGroup } from './volume-group.js';

/** A run of extents of a physical volume. */
export interface ExtentRun {
  readonly start: number;
  readonly count: number;
}

/** A run of a physical volume's extents that a logical volume has. */
export interface UsedRun extends ExtentRun {
  readonly volume: string;
  /** First extent of the logical volume in it. */
  readonly logicalStart: number;
}

/** What is in use of a physical volume, in ascending order. */
export function usedRuns(group: VolumeGroup, physicalVolume: PhysicalVolume): readonly UsedRun[] {
  const runs: UsedRun[] = [];
  for (const { name, segments } of group.logicalVolumes) {
    for (const { startExtent, extentCount, stripes } of segments) {
      for (const { on, extent } of stripes) {
        if (on !== physicalVolume.key) continue;
        const count = Math.ceil(extentCount / stripes.length);
        runs.push({ start: extent, count, volume: name, logicalStart: startExtent });
      }
    }
  }
  return runs.sort((a, b) => a.start - b.start);
}

/** What is free of a physical volume, in ascending order. */
export function freeRuns(group: VolumeGroup, physicalVolume: PhysicalVolume): readonly ExtentRun[] {
  const runs: ExtentRun[] = [];
  let at = 0;
  for (const { start, count } of usedRuns(group, physicalVolume)) {
    if (start > at) runs.push({ start: at, count: start - at });
    at = Math.max(at, start + count);
  }
  if (at < physicalVolume.peCount) runs.push({ start: at, count: physicalVolume.peCount - at });
  return runs;
}

export function freeExtents(group: VolumeGroup, physicalVolume: PhysicalVolume): number {
  return freeRuns(group, physicalVolume).reduce((sum, { count }) => sum + count, 0);
}

/** All and free extents of a group. */
export function groupExtents(group: VolumeGroup): { readonly total: number; readonly free: number } {
  let total = 0;
  let free = 0;
  for (const physicalVolume of group.physicalVolumes) {
    total += physicalVolume.peCount;
    free += freeExtents(group, physicalVolume);
  }
  return { total, free };
}
