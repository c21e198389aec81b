import type { Program } from '@quorate/kernel';
import {
  type FoundGroup,
  lvsReport,
  pvscanReport,
  pvsReport,
  type VolumeScan,
  vgsDevicesReport,
  vgsReport,
} from '@quorate/volumes';
import { scanStorage } from '../../os/activation.js';
import type { Storage } from '../../os/storage.js';
import { forEachGroup, MISUSED, NO_GROUPS } from './groups.js';

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

/** `pvscan`. */
export function pvscan(storage: Storage): Program {
  return report(storage, pvscanReport, false);
}

/**
 * `vgs`, and the one form of it that agents use, which names the devices of groups:
 * `vgs --noheadings --separator S --sort pv_uuid --options vg_attr,pv_name [--config 'global { locking_type = 0 }']`.
 *
 * With that configuration clustered groups are read without a lock: fence_scsi asks before clvmd runs.
 */
export function vgs(storage: Storage): Program {
  const all = report(storage, ({ groups }) => (groups.length === 0 ? undefined : vgsReport(groups)));
  return function* (argv, os) {
    if (argv.length === 1) return yield* all(argv, os);
    const [separator, config] = devicesForm(argv.slice(1)) ?? [];
    if (separator === undefined) {
      os.printError('  Error during parsing of command line: only --options vg_attr,pv_name is served here.\n');
      return MISUSED;
    }
    const textOf = ({ groups }: VolumeScan): string => vgsDevicesReport(groups, separator);
    if (!/locking_type *= *0\b/.test(config ?? '')) return yield* report(storage, textOf)(argv, os);
    os.print(textOf(yield* scanStorage(storage)));
    return 0;
  };
}

/** Separator and configuration of that form; undefined for any other. */
function devicesForm(args: readonly string[]): readonly [string, string | undefined] | undefined {
  const values = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--noheadings') values.set('--noheadings', '');
    else values.set(args[i]!, args[++i] ?? '');
  }
  const known = ['--noheadings', '--separator', '--sort', '--options', '--config'];
  const isForm = [...values.keys()].every((key) => known.includes(key)) && values.has('--noheadings');
  if (!isForm || values.get('--options') !== 'vg_attr,pv_name' || values.get('--sort') !== 'pv_uuid') return undefined;
  return [values.get('--separator') ?? ' ', values.get('--config')];
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
