import type { Os, Task } from '@quorate/kernel';
import { type FoundGroup, isClustered, scanVolumes, VolumeError, type VolumeScan } from '@quorate/volumes';
import { scanStorage } from '../../os/activation.js';
import type { Storage } from '../../os/storage.js';
import { askClvmd, type ClvmdCall } from './clvmd-call.js';

type LockMode = Extract<ClvmdCall, { kind: 'lock-group' }>['mode'];

/** Exit status of a command of LVM that something was refused to. */
export const FAILED = 5;

/** Exit status for a command line that is not understood. */
export const MISUSED = 3;

/** What commands about groups say, with status 0, where there are none. */
export const NO_GROUPS = '  No volume groups found\n';

/**
 * Does something with volume groups, one after the other: with those of these names, or with all. A clustered one is locked
 * through clvmd, read again, and left out where clvmd does not run.
 *
 * What `act` returns is its status; the greatest of all is the command's.
 */
export function* forEachGroup(
  os: Os,
  storage: Storage,
  names: readonly string[],
  act: (found: FoundGroup) => Task<number>,
  mode: LockMode = 'read',
): Task<{ readonly status: number; readonly scan: VolumeScan }> {
  const scan = yield* scanStorage(storage);
  let status = 0;
  for (const name of names) {
    if (scan.groups.some(({ group }) => group.name === name)) continue;
    os.printError(`  Volume group "${name}" not found\n`);
    status = FAILED;
  }
  for (const { device, error } of scan.defects) os.printError(`  ${device.path}: ${error.message}\n`);
  const chosen = scan.groups.filter(({ group }) => names.length === 0 || names.includes(group.name));
  let hasClvmd = true;
  for (const found of chosen) {
    if (!isClustered(found.group)) {
      status = Math.max(status, yield* guarded(os, act(found)));
      continue;
    }
    const refused = hasClvmd
      ? yield* askClvmd(os, { kind: 'lock-group', group: found.group.name, mode, process: os.pid })
      : 'ECONNREFUSED';
    if (refused === undefined) {
      status = Math.max(status, yield* guarded(os, actAgain(found, act)));
      yield* askClvmd(os, { kind: 'unlock-group', group: found.group.name, process: os.pid });
      continue;
    }
    if (hasClvmd && refused === 'ECONNREFUSED') os.printError(NO_CLVMD);
    if (refused === 'ECONNREFUSED') hasClvmd = false;
    else os.printError(`  Error locking on node ${os.hostname}: ${refused}\n`);
    os.printError(`  Skipping clustered volume group ${found.group.name}\n`);
    status = FAILED;
  }
  return { status, scan };
}

const NO_CLVMD = `  connect() failed on local socket: No such file or directory
  Internal cluster locking initialisation failed.
  WARNING: Falling back to local file-based locking.
  Volume Groups with the clustered attribute will be inaccessible.
`;

/**
 * Does something while nobody else makes a physical volume, or gives one to a group: where clvmd runs, no other node does either.
 */
export function* withOrphans(os: Os, task: (hasClvmd: boolean) => Task<number>): Task<number> {
  const refused = yield* askClvmd(os, { kind: 'lock-group', group: '#orphans', mode: 'write', process: os.pid });
  if (refused !== undefined && refused !== 'ECONNREFUSED') {
    os.printError(`  Can't get lock for orphan PVs: ${refused}\n`);
    return FAILED;
  }
  const status = yield* guarded(os, task(refused === undefined));
  if (refused === undefined) yield* askClvmd(os, { kind: 'unlock-group', group: '#orphans', process: os.pid });
  return status;
}

/** Somebody may have changed the group before it was locked. */
function* actAgain({ group, members }: FoundGroup, act: (found: FoundGroup) => Task<number>): Task<number> {
  const scan = yield* scanVolumes([...members.values()].map(({ device }) => device));
  const found = scan.groups.find(({ group: { id } }) => id === group.id);
  return found === undefined ? 0 : yield* act(found);
}

/** What disks and groups refuse is an error of the command. */
function* guarded(os: Os, task: Task<number>): Task<number> {
  try {
    return yield* task;
  } catch (error) {
    if (!(error instanceof VolumeError)) throw error;
    os.printError(`  ${error.message}\n`);
    return FAILED;
  }
}
