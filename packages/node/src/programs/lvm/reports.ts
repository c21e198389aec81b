import type { Program } from '@quorate/kernel';
import { type FoundGroup, lvsReport, pvsReport, type VolumeScan, vgsReport } from '@quorate/volumes';
import type { Storage } from '../../os/storage.js';
import { forEachGroup, NO_GROUPS } from './groups.js';

/** A command that reads all groups and says something about them, unless there is nothing to say. */
function report(storage: Storage, textOf: (scan: VolumeScan) => string | undefined, isOfGroups = true): Program {
  return function* (_argv, os) {
    const groups: FoundGroup[] = [];
    const { status, scan } = yield* forEachGroup(os, storage, [], function* (found) {
      groups.push(found);
      return 0;
    });
    if (isOfGroups && scan.groups.length === 0) os.printError(NO_GROUPS);
    // Of a group that was left out nothing is said, nor of what it lies on.
    const left = scan.groups.filter(({ group }) => !groups.some((each) => each.group.id === group.id));
    const hidden = new Set(left.flatMap(({ members }) => [...members.keys()]));
    const physicalVolumes = scan.physicalVolumes.filter(({ label }) => !hidden.has(label.uuid));
    os.print(textOf({ ...scan, groups, physicalVolumes }) ?? '');
    return status;
  };
}

/** `pvs`. */
export function pvs(storage: Storage): Program {
  return report(storage, (scan) => (scan.physicalVolumes.length === 0 ? undefined : pvsReport(scan)), false);
}

/** `vgs`. */
export function vgs(storage: Storage): Program {
  return report(storage, ({ groups }) => (groups.length === 0 ? undefined : vgsReport(groups)));
}

/** `lvs`. */
export function lvs(storage: Storage): Program {
  const { mapper } = storage;
  return report(storage, ({ groups }) => {
    if (!groups.some(({ group }) => group.logicalVolumes.length > 0)) return undefined;
    return lvsReport(groups, ({ id }) => ({ isActive: mapper.active.has(id), openCount: mapper.openCount(id) }));
  });
}

/** `vgscan`. */
export function vgscan(storage: Storage): Program {
  return report(storage, ({ groups }) => {
    const found = groups.map(({ group }) => `  Found volume group "${group.name}" using metadata type lvm2\n`);
    return `  Reading all physical volumes.  This may take a while...\n${found.join('')}`;
  });
}
