import type { Os, Program, Task } from '@quorate/kernel';
import { changeGroupTag, commitGroup, type FoundGroup, type LogicalVolume } from '@quorate/volumes';
import type { Storage } from '../../os/storage.js';
import { type Activation, changeActivation, parseActivation, printError } from './activate-volume.js';
import { committer } from './committer.js';
import { FAILED, forEachGroup, MISUSED, NO_GROUPS } from './groups.js';
import { parseTagChange, type Tagging } from './tag-change.js';

/**
 * `vgchange -a[l|e]y|-a[l]n [GROUP…]`: makes the volumes of groups devices of this machine, or takes them away; all groups
 * unless some are named. Those of clustered groups as `lvchange` does. `--addtag TAG GROUP`, `--deltag TAG GROUP`: tags a group.
 */
export function vgchange(storage: Storage): Program {
  return function* (argv, os) {
    const tagging = parseTagChange(argv.slice(1));
    if (tagging !== undefined) return yield* tag(os, storage, tagging);
    const { activation, names } = parseActivation(argv.slice(1));
    if (activation === undefined) {
      os.printError('  vgchange: expected -ay, -aly, -aey, -an or -aln\n');
      return MISUSED;
    }
    const { status, scan } = yield* forEachGroup(os, storage, names, (found) => change(os, storage, found, activation));
    if (names.length === 0 && scan.groups.length === 0) os.printError(NO_GROUPS);
    return status;
  };
}

function* tag(os: Os, storage: Storage, { change, name }: Tagging): Task<number> {
  const act = function* ({ group, members }: FoundGroup): Task<number> {
    yield* commitGroup(changeGroupTag(group, change), members.values(), committer(os, storage));
    os.print(`  Volume group "${group.name}" successfully changed\n`);
    return 0;
  };
  return (yield* forEachGroup(os, storage, [name], act, 'write')).status;
}

function* change(os: Os, storage: Storage, found: FoundGroup, activation: Activation): Task<number> {
  const { group } = found;
  if (activation.change === 'deactivate') {
    const open = visibleOf(found).filter(({ id }) => storage.mapper.openCount(id) > 0);
    for (const { name } of open) os.printError(`  Logical volume ${group.name}/${name} in use.\n`);
    if (open.length > 0) {
      os.printError(`  Can't deactivate volume group "${group.name}" with ${open.length} open logical volume(s)\n`);
      return FAILED;
    }
  }
  let status = 0;
  for (const volume of visibleOf(found)) {
    const refused = yield* changeActivation(os, storage, found, volume, activation);
    if (refused === undefined) continue;
    printError(os, refused);
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
