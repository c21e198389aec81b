import { fork, type Nanos, SECOND, type Task } from '@quorate/kernel';
import type { ChaosRun } from './chaos-run.js';
import { fenceDefect, STARTED_AFTER } from './operator.js';
import type { MachineView } from './overview.js';

/** The longest that settling may take, whatever happens meanwhile. */
export const MOST_SETTLING: Nanos = 420 * SECOND;
export const STAYS_TRUE: Nanos = 10 * SECOND;
/** How long somebody takes to notice that a machine is ill while things break, and after that. */
export const NOTICE: Nanos = 20 * SECOND;
export const NOTICE_HEALED: Nanos = 8 * SECOND;
/** A stop of a service that takes longer, with nothing broken, has no end: its end could not be written. */
export const STOPPED_AFTER: Nanos = 60 * SECOND;

/** So long after a boot a machine has mounted its file system. */
const MOUNTED_AFTER: Nanos = 90 * SECOND;

/**
 * A machine whose qdiskd did not come up, because the disks did not answer, does not count the quorum device: it may have no quorum
 * where all others have, and fence nobody. One whose mount did not come up, because a member died, goes on without; a mount that
 * goes on for ever is nobody's to end.
 */
export function storageDefect({ lab, arena, names }: ChaosRun, view: MachineView): string | undefined {
  const { isMounted, isInMountGroup, upSince, unmountedAt } = view;
  if (!arena.isOver) return undefined;
  if (!view.hasQdiskd && !view.isQuorate && lab.now() - upSince >= STARTED_AFTER)
    return 'has neither qdiskd nor quorum';
  const defect = fenceDefect(view, names, lab.now());
  if (defect !== undefined) return defect;
  // One that has unmounted it shuts down.
  const isEarly = lab.now() - Math.max(upSince, unmountedAt) < MOUNTED_AFTER;
  return isMounted || isInMountGroup || isEarly ? undefined : 'could not mount its file system';
}

/** Shuts machines down, the last one first, each when the one before is off: whether all are. */
export function* shutDown(run: ChaosRun, core: ReadonlyMap<number, string>): Task<boolean> {
  const { lab, overview } = run;
  run.operator.isOff = true;
  for (const [node, machine] of [...core].reverse()) {
    yield* fork(lab.exec(machine, 'shutdown -h now'));
    yield* run.becomes(() => overview.of(node).state === 'off', 120 * SECOND);
    if (overview.of(node).state === 'off') continue;
    run.fail('end', `${machine} shuts down within 120 s`, [overview.of(node).state]);
    return false;
  }
  yield* lab.wait(5 * SECOND);
  return true;
}

/** Writes a file on each machine as soon as that is possible: `usable` has those on which it was. */
export function* probeMounts(
  run: ChaosRun,
  core: ReadonlyMap<number, string>,
  usable: Set<number>,
  isClosing: () => boolean,
): Task {
  for (const [node, machine] of core) yield* fork(probeOn(run, node, machine, usable, isClosing));
}

function* probeOn(
  { lab, overview }: ChaosRun,
  node: number,
  machine: string,
  usable: Set<number>,
  isClosing: () => boolean,
): Task {
  const file = `/mydata/work/probe-${machine}`;
  while (!isClosing()) {
    yield* lab.wait(2 * SECOND);
    const { isMounted, state } = overview.of(node);
    if (!isMounted || state !== 'up') {
      usable.delete(node);
      continue;
    }
    if (usable.has(node) || isClosing()) continue;
    const done = yield* lab.exec(machine, `echo probe > ${file}; sync ${file}`);
    if (done?.status === 0 && overview.of(node).isMounted) usable.add(node);
  }
}
