import { VolumeError } from '../volume-error.js';
import { type ExtentRun, freeRuns } from './extents.js';
import type { PhysicalVolume, Segment, VolumeGroup } from './volume-group.js';

/** A free run, and on what. */
interface FreeRun extends ExtentRun {
  readonly on: string;
}

/**
 * Finds physical extents for new linear segments that follow `after`.
 *
 * What is free right behind the last segment comes first. The rest goes into one run that is large enough, the first in
 * the order of the physical volumes, beginning with the one of the last segment. Without such a run the largest ones are
 * taken. Differs from LVM in that last case only, which then clings to a physical volume.
 *
 * @throws {VolumeError} `no-space`, in lvcreate's words.
 */
export function allocateLinear(
  group: VolumeGroup,
  extents: number,
  after: readonly Segment[],
  allowed: (physicalVolume: PhysicalVolume) => boolean,
): readonly Segment[] {
  const last = after.at(-1)?.stripes[0];
  const candidates = group.physicalVolumes
    .filter((each) => each.status.includes('ALLOCATABLE') && !each.flags.includes('MISSING') && allowed(each))
    .sort((a, b) => Number(b.key === last?.on) - Number(a.key === last?.on));
  const runs = candidates.flatMap((each): FreeRun[] => freeRuns(group, each).map((run) => ({ ...run, on: each.key })));
  const free = runs.reduce((sum, { count }) => sum + count, 0);
  if (free < extents) {
    const why = `Volume group "${group.name}" has insufficient free space (${free} extents): ${extents} required.`;
    throw new VolumeError('no-space', why);
  }
  return join(after, choose(runs, extents, endOf(after)));
}

/** Where the last segment ends on its physical volume. */
function endOf(segments: readonly Segment[]): { readonly on: string; readonly extent: number } | undefined {
  const last = segments.at(-1);
  const stripe = last?.stripes[0];
  return stripe === undefined ? undefined : { on: stripe.on, extent: stripe.extent + last!.extentCount };
}

function choose(
  runs: readonly FreeRun[],
  extents: number,
  end: { readonly on: string; readonly extent: number } | undefined,
): readonly FreeRun[] {
  const chosen: FreeRun[] = [];
  const behind = runs.find(({ on, start }) => on === end?.on && start === end.extent);
  let left = extents;
  const take = (run: FreeRun) => {
    const count = Math.min(left, run.count);
    if (count > 0) chosen.push({ ...run, count });
    left -= count;
  };
  if (behind !== undefined) take(behind);
  const rest = runs.filter((run) => run !== behind);
  const whole = rest.find(({ count }) => count >= left);
  if (whole !== undefined) take(whole);
  else for (const run of [...rest].sort((a, b) => b.count - a.count)) take(run);
  return chosen;
}

/** Adds the runs as segments; one that continues the last segment makes that longer. */
function join(segments: readonly Segment[], runs: readonly FreeRun[]): readonly Segment[] {
  const joined = [...segments];
  for (const { on, start, count } of runs) {
    const end = endOf(joined);
    const last = joined.at(-1);
    if (last !== undefined && end?.on === on && end.extent === start) {
      joined[joined.length - 1] = { ...last, extentCount: last.extentCount + count };
    } else {
      const startExtent = last === undefined ? 0 : last.startExtent + last.extentCount;
      const stripes = [{ on, extent: start }];
      joined.push({ startExtent, extentCount: count, type: 'striped', stripes, other: [] });
    }
  }
  return joined;
}
