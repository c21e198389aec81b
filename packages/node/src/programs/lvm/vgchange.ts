import type { Os, Program, Task } from '@quorate/kernel';
import type { FoundGroup, LogicalVolume } from '@quorate/volumes';
import type { Storage } from '../../os/storage.js';
import { activateOne, deactivateOne, parseActivation } from './activate-volume.js';
import { FAILED, forEachGroup, MISUSED, NO_GROUPS } from './groups.js';

/**
 * `vgchange -a[l]y|-a[l]n [GROUP…]`: makes the volumes of groups devices of this machine, or takes them away; all groups
 * unless some are named.
 *
 * Differs from the original, which without `l` does so for a clustered group on all nodes.
 */
export function vgchange(storage: Storage): Program {
  return function* (argv, os) {
    const { change, names } = parseActivation(argv.slice(1));
    if (change === undefined) {
      os.printError('  vgchange: expected -aly, -aln, -ay or -an\n');
      return MISUSED;
    }
    const act = change === 'y' ? activateAll : deactivateAll;
    const { status, scan } = yield* forEachGroup(os, storage, names, (found) => act(os, storage, found));
    if (names.length === 0 && scan.groups.length === 0) os.printError(NO_GROUPS);
    return status;
  };
}

function* activateAll(os: Os, storage: Storage, found: FoundGroup): Task<number> {
  let status = 0;
  for (const volume of visibleOf(found)) {
    const refused = yield* activateOne(os, storage, found, volume);
    if (refused === undefined) continue;
    os.printError(`  ${refused}\n`);
    status = FAILED;
  }
  return tell(os, storage, found, status);
}

function* deactivateAll(os: Os, storage: Storage, found: FoundGroup): Task<number> {
  const { group } = found;
  const open = visibleOf(found).filter(({ id }) => storage.mapper.openCount(id) > 0);
  for (const { name } of open) os.printError(`  Logical volume ${group.name}/${name} in use.\n`);
  if (open.length > 0) {
    os.printError(`  Can't deactivate volume group "${group.name}" with ${open.length} open logical volume(s)\n`);
    return FAILED;
  }
  let status = 0;
  for (const volume of visibleOf(found)) {
    const refused = yield* deactivateOne(os, storage, group, volume);
    if (refused === undefined) continue;
    os.printError(`  ${refused}\n`);
    status = FAILED;
  }
  return tell(os, storage, found, status);
}

function tell(os: Os, { mapper }: Storage, { group }: FoundGroup, status: number): number {
  const active = group.logicalVolumes.filter(({ id }) => mapper.active.has(id)).length;
  os.print(`  ${active} logical volume(s) in volume group "${group.name}" now active\n`);
  return status;
}

function visibleOf({ group }: FoundGroup): readonly LogicalVolume[] {
  return group.logicalVolumes.filter(({ status }) => status.includes('VISIBLE'));
}
