import type { Os, Program, Task } from '@quorate/kernel';
import {
  commitGroup,
  createGroup,
  extendGroup,
  type FoundGroup,
  type FoundPhysicalVolume,
  newUuid,
  orphansOf,
  pvCreate,
  VolumeError,
  type VolumeScan,
} from '@quorate/volumes';
import { scanStorage } from '../../os/activation.js';
import { sectorDevice } from '../../os/sector-device.js';
import type { Storage } from '../../os/storage.js';
import { parseOptions } from '../options.js';
import { committer } from './committer.js';
import { forEachGroup, MISUSED, withOrphans } from './groups.js';

/** `pvcreate DEVICE…`: makes devices physical volumes. */
export function pvcreate(storage: Storage): Program {
  return function* (argv, os) {
    const paths = argv.slice(1);
    if (paths.length === 0 || paths.some((path) => path.startsWith('-'))) {
      os.printError('  pvcreate: expected devices, and no options\n');
      return MISUSED;
    }
    return yield* withOrphans(os, function* () {
      for (const path of paths) yield* createOn(os, storage, path);
      return 0;
    });
  };
}

function* createOn(os: Os, { disks, prng }: Storage, path: string): Task {
  const device = disks.device(path);
  if (device === undefined) {
    throw new VolumeError('not-found', `Device ${path} not found (or ignored by filtering).`);
  }
  if (disks.openCount(device.path) > 0) {
    throw new VolumeError('in-use', `Can't open ${path} exclusively.  Mounted filesystem?`);
  }
  yield* pvCreate(sectorDevice(device), { uuid: newUuid(prng) });
  os.print(`  Physical volume "${path}" successfully created\n`);
}

/** `vgcreate [-c y|n] GROUP DEVICE…`: makes a group, clustered unless told where clvmd runs. */
export function vgcreate(storage: Storage): Program {
  return function* (argv, os) {
    const { values, operands, error } = parseOptions(argv.slice(1), { flags: '', values: 'c' });
    const [name = '', ...paths] = operands;
    const clustered = values.get('c');
    if (error !== undefined || paths.length === 0 || (clustered !== undefined && !/^[yn]$/.test(clustered))) {
      os.printError('  vgcreate: expected [-c y|n] GROUP DEVICE...\n');
      return MISUSED;
    }
    return yield* withOrphans(os, function* (hasClvmd) {
      const isClustered = clustered === undefined ? hasClvmd : clustered === 'y';
      const scan = yield* scanStorage(storage);
      if (scan.groups.some(({ group }) => group.name === name)) {
        throw new VolumeError('exists', `A volume group called ${name} already exists.`);
      }
      const members = yield* membersOf(os, storage, scan, paths);
      const group = createGroup({ name, id: newUuid(storage.prng), isClustered }, members);
      yield* commitGroup(group, members, committer(os, storage));
      os.print(`  ${isClustered ? 'Clustered volume' : 'Volume'} group "${name}" successfully created\n`);
      return 0;
    });
  };
}

/** `vgextend GROUP DEVICE…`: gives more physical volumes to a group. */
export function vgextend(storage: Storage): Program {
  return function* (argv, os) {
    const [name = '', ...paths] = argv.slice(1);
    if (paths.length === 0 || name.startsWith('-')) {
      os.printError('  vgextend: expected GROUP DEVICE..., and no options\n');
      return MISUSED;
    }
    return yield* withOrphans(os, function* () {
      const extend = function* ({ group, members }: FoundGroup): Task<number> {
        const added = yield* membersOf(os, storage, yield* scanStorage(storage), paths);
        yield* commitGroup(extendGroup(group, added), [...members.values(), ...added], committer(os, storage));
        os.print(`  Volume group "${name}" successfully extended\n`);
        return 0;
      };
      return (yield* forEachGroup(os, storage, [name], extend, 'write')).status;
    });
  };
}

/** Physical volumes of these paths that belong to no group; a device that is none is made one, as LVM does. */
function* membersOf(
  os: Os,
  storage: Storage,
  scan: VolumeScan,
  paths: readonly string[],
): Task<readonly FoundPhysicalVolume[]> {
  const pathOf = (name: string): string => storage.disks.device(name)?.path ?? name;
  const isKnown = (name: string): boolean => scan.physicalVolumes.some(({ device }) => device.path === pathOf(name));
  const fresh = paths.filter((path) => !isKnown(path));
  for (const path of fresh) yield* createOn(os, storage, path);
  const found = fresh.length === 0 ? scan : yield* scanStorage(storage);
  const orphans = orphansOf(found);
  return paths.map((path) => {
    const orphan = orphans.find(({ device }) => device.path === pathOf(path));
    if (orphan !== undefined) return orphan;
    const owner = found.groups.find(({ group }) => group.physicalVolumes.some((each) => each.device === pathOf(path)));
    throw new VolumeError(
      'in-use',
      `Physical volume '${path}' is already in volume group '${owner?.group.name ?? 'unknown'}'`,
    );
  });
}
