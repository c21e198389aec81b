import type { Os, Program, Task } from '@quorate/kernel';
import {
  type FoundGroup,
  lvDisplay,
  lvsReport,
  newPvDisplay,
  orphansOf,
  pvDisplay,
  pvscanReport,
  pvsReport,
  type VolumeDevice,
  VolumeError,
  type VolumeScan,
  vgDisplay,
  vgsDevicesReport,
  vgsReport,
  visibleVolumes,
} from '@quorate/volumes';
import { scanStorage } from '../../os/activation.js';
import type { Storage } from '../../os/storage.js';
import { FAILED, forEachGroup, MISUSED, NO_GROUPS } from './groups.js';
import { parseReportCommand, type ReportCommand } from './report-options.js';

/** What was read of groups, and the status of a command that read them. */
interface Read {
  readonly status: number;
  readonly scan: VolumeScan;
  /** Whether there is any group at all. */
  readonly hasGroups: boolean;
}

/** Reads groups of these names, or all. Of a group that was left out nothing is said, nor of what it lies on. */
function* readGroups(os: Os, storage: Storage, names: readonly string[]): Task<Read> {
  const groups: FoundGroup[] = [];
  const { status, scan } = yield* forEachGroup(os, storage, names, function* (found) {
    groups.push(found);
    return 0;
  });
  const left = scan.groups.filter(({ group }) => !groups.some((each) => each.group.id === group.id));
  const hidden = new Set(left.flatMap(({ members }) => [...members.keys()]));
  const physicalVolumes = scan.physicalVolumes.filter(({ label }) => !hidden.has(label.uuid));
  return { status, scan: { ...scan, groups, physicalVolumes }, hasGroups: scan.groups.length > 0 };
}

/** A command that reads all groups and says something about them, unless there is nothing to say. */
function report(storage: Storage, textOf: (scan: VolumeScan) => string | undefined, isOfGroups = true): Program {
  return function* (_argv, os) {
    const { status, scan, hasGroups } = yield* readGroups(os, storage, []);
    if (isOfGroups && !hasGroups) os.printError(NO_GROUPS);
    os.print(textOf(scan) ?? '');
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

/** A report with `-o FIELDS`, `--noheadings`, `--separator S` and `--config 'global{locking_type=0}'`, of groups that are named or of all. */
function optionsReport(
  storage: Storage,
  textOf: (groups: readonly FoundGroup[], command: ReportCommand) => string,
): Program {
  return function* (argv, os) {
    const command = parseReportCommand(argv.slice(1));
    if (command === undefined) {
      os.printError('  Error during parsing of command line.\n');
      return MISUSED;
    }
    const wanted = [...new Set(command.names.map((name) => name.split('/', 1)[0]!))];
    const { status, scan, hasGroups } = command.isUnlocked
      ? yield* readUnlocked(os, storage, wanted)
      : yield* readGroups(os, storage, wanted);
    if (!hasGroups && wanted.length === 0) os.printError(NO_GROUPS);
    try {
      os.print(textOf(scan.groups, command));
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error;
      os.printError(`  ${error.message}\n`);
      return MISUSED;
    }
    return status;
  };
}

/** Clustered groups are read all the same: who asks so asks before clvmd runs. */
function* readUnlocked(os: Os, storage: Storage, names: readonly string[]): Task<Read> {
  const scan = yield* scanStorage(storage);
  const missing = names.filter((name) => !scan.groups.some(({ group }) => group.name === name));
  for (const name of missing) os.printError(`  Volume group "${name}" not found\n`);
  const groups = scan.groups.filter(({ group }) => names.length === 0 || names.includes(group.name));
  return { status: missing.length > 0 ? FAILED : 0, scan: { ...scan, groups }, hasGroups: true };
}

/** `vgs`. With `--options vg_attr,pv_name`, which fence_scsi asks for, there is a line for each physical volume. */
export function vgs(storage: Storage): Program {
  return optionsReport(storage, (groups, command) =>
    command.fields?.join(',') === 'vg_attr,pv_name' && command.sort === 'pv_uuid'
      ? vgsDevicesReport(groups, command.separator ?? ' ')
      : vgsReport(groups, command),
  );
}

/** `lvs`. */
export function lvs(storage: Storage): Program {
  const { mapper } = storage;
  return optionsReport(storage, (groups, command) =>
    lvsReport(groups, ({ id }) => ({ isActive: mapper.active.has(id), openCount: mapper.openCount(id) }), {
      ...command,
      isWanted: (group, { name }) =>
        command.names.length === 0 ||
        command.names.some((wanted) => wanted === group.name || wanted === `${group.name}/${name}`),
    }),
  );
}

/** Operands of a command that shows volumes or groups, without `/dev/`; undefined for an option. */
function operandsOf(args: readonly string[]): readonly string[] | undefined {
  return args.some((arg) => arg.startsWith('-')) ? undefined : args.map((arg) => arg.replace(/^\/dev\//, ''));
}

function misused(os: Os): number {
  os.printError('  Error during parsing of command line.\n');
  return MISUSED;
}

/** `lvdisplay [GROUP[/VOLUME]…]`. */
export function lvdisplay(storage: Storage): Program {
  const { mapper } = storage;
  const deviceOf = (id: string): VolumeDevice | undefined => {
    const device = mapper.active.get(id)?.number;
    return device === undefined ? undefined : { isActive: true, openCount: mapper.openCount(id), device };
  };
  return function* (argv, os) {
    const names = operandsOf(argv.slice(1));
    if (names === undefined) return misused(os);
    const groups = [...new Set(names.map((name) => name.split('/', 1)[0]!))];
    const { status, scan, hasGroups } = yield* readGroups(os, storage, groups);
    if (!hasGroups && names.length === 0) os.printError(NO_GROUPS);
    const missing = new Set(names.filter((name) => name.includes('/')));
    for (const { group } of scan.groups) {
      for (const volume of visibleVolumes(group)) {
        const name = `${group.name}/${volume.name}`;
        missing.delete(name);
        if (names.length > 0 && !names.includes(group.name) && !names.includes(name)) continue;
        os.print(lvDisplay(group, volume, deviceOf(volume.id)));
      }
    }
    const known = [...missing].filter((name) => scan.groups.some(({ group }) => name.startsWith(`${group.name}/`)));
    for (const name of known) os.printError(`  Failed to find logical volume "${name}"\n`);
    return known.length > 0 ? FAILED : status;
  };
}

/** `vgdisplay [GROUP…]`. */
export function vgdisplay(storage: Storage): Program {
  const { mapper } = storage;
  return function* (argv, os) {
    const names = operandsOf(argv.slice(1));
    if (names === undefined) return misused(os);
    const { status, scan, hasGroups } = yield* readGroups(os, storage, names);
    if (!hasGroups && names.length === 0) os.printError(NO_GROUPS);
    for (const found of scan.groups) {
      const open = visibleVolumes(found.group).filter(({ id }) => mapper.openCount(id) > 0);
      os.print(vgDisplay(found, open.length));
    }
    return status;
  };
}

/** `pvdisplay [DEVICE…]`: those of groups first. */
export function pvdisplay(storage: Storage): Program {
  return function* (argv, os) {
    const wanted = argv.slice(1);
    if (operandsOf(wanted) === undefined) return misused(os);
    const { status, scan } = yield* readGroups(os, storage, []);
    const missing = new Set(wanted);
    const print = (path: string | undefined, text: string): void => {
      if (wanted.length === 0 || (path !== undefined && missing.delete(path))) os.print(text);
    };
    for (const found of scan.groups) {
      for (const each of found.group.physicalVolumes) {
        print(found.members.get(each.id)?.device.path, pvDisplay(found, each));
      }
    }
    for (const each of orphansOf(scan)) print(each.device.path, newPvDisplay(each));
    for (const path of missing) os.printError(`  Failed to find physical volume "${path}".\n`);
    return missing.size > 0 ? FAILED : status;
  };
}

/** `vgscan`. */
export function vgscan(storage: Storage): Program {
  return report(storage, ({ groups }) => {
    const found = groups.map(({ group }) => `  Found volume group "${group.name}" using metadata type lvm2\n`);
    return `  Reading all physical volumes.  This may take a while...\n${found.join('')}`;
  });
}
