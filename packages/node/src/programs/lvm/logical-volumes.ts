import type { Os, Program, Task } from '@quorate/kernel';
import {
  commitGroup,
  createVolume,
  extentsFor,
  type FoundGroup,
  findVolume,
  groupExtents,
  isClustered,
  type LogicalVolume,
  newUuid,
  removeVolume,
  VolumeError,
  type VolumeGroup,
} from '@quorate/volumes';
import type { Storage } from '../../os/storage.js';
import { parseOptions } from '../options.js';
import { activateOne, deactivateOne, lockError } from './activate-volume.js';
import { askClvmd } from './clvmd-call.js';
import { committer } from './committer.js';
import { FAILED, forEachGroup, MISUSED } from './groups.js';
import { volumeName } from './volume-name.js';

/** `lvcreate -n NAME -L SIZE[kmgt]|-l EXTENTS|-l 100%FREE GROUP`: makes a linear volume, and activates it on this machine. */
export function lvcreate(storage: Storage): Program {
  return function* (argv, os) {
    const { values, operands, error } = parseOptions(argv.slice(1), { flags: '', values: 'nLl' });
    const [groupName = '', ...more] = operands;
    const [name, size, extents] = ['n', 'L', 'l'].map((letter) => values.get(letter));
    const isSized = (size === undefined) !== (extents === undefined);
    if (error !== undefined || groupName === '' || more.length > 0 || name === undefined || !isSized) {
      os.printError('  lvcreate: expected -n NAME, -L SIZE or -l EXTENTS, and a GROUP\n');
      return MISUSED;
    }
    const create = function* (found: FoundGroup): Task<number> {
      const { group, members } = found;
      const options = committer(os, storage);
      const full = createVolume(group, {
        name,
        id: newUuid(storage.prng),
        extents: extentsOf(group, size, extents),
        creationHost: options.host,
        creationTime: options.time,
      });
      const next = yield* commitGroup(full, members.values(), options);
      const refused = yield* activateOne(os, storage, { ...found, group: next }, findVolume(next, name)!);
      if (refused !== undefined) {
        os.printError(`  ${refused}\n  Failed to activate new LV.\n`);
        return FAILED;
      }
      os.print(`  Logical volume "${name}" created.\n`);
      return 0;
    };
    return (yield* forEachGroup(os, storage, [groupName], create, 'write')).status;
  };
}

const UNITS = 'kmgt';

/** @throws {VolumeError} `bad-argument` */
function extentsOf(group: VolumeGroup, size: string | undefined, extents = ''): number {
  if (size === undefined) {
    const [, number = '', isShare] = /^(\d+)(%FREE)?$/.exec(extents) ?? [];
    if (number === '') throw new VolumeError('bad-argument', `Invalid argument for --extents: ${extents}`);
    return isShare === undefined ? Number(number) : Math.floor((groupExtents(group).free * Number(number)) / 100);
  }
  const [, number = '', unit = 'm'] = /^(\d+(?:\.\d+)?)([kmgt])?$/i.exec(size) ?? [];
  if (number === '') throw new VolumeError('bad-argument', `Invalid argument for --size: ${size}`);
  return extentsFor(group, Number(number) * 1024 ** (1 + UNITS.indexOf(unit.toLowerCase())));
}

/** `lvremove [-f] GROUP/VOLUME`: takes a volume away that no machine uses; without `-f` it asks before one that is active here goes. */
export function lvremove(storage: Storage): Program {
  return function* (argv, os) {
    const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'f', values: '' });
    const wanted = volumeName(operands[0]);
    if (error !== undefined || wanted === undefined || operands.length > 1) {
      os.printError('  lvremove: expected [-f] GROUP/VOLUME\n');
      return MISUSED;
    }
    const { name } = wanted;
    const remove = function* (found: FoundGroup): Task<number> {
      const { group, members } = found;
      const next = removeVolume(group, name);
      const volume = findVolume(group, name)!;
      if (!flags.has('f') && storage.mapper.active.has(volume.id) && !isConfirmed(os, found, name)) return FAILED;
      const refused = yield* takeAway(os, storage, group, volume);
      if (refused !== undefined) {
        os.printError(`  ${refused}\n`);
        return FAILED;
      }
      yield* commitGroup(next, members.values(), committer(os, storage));
      os.print(`  Logical volume "${name}" successfully removed\n`);
      return 0;
    };
    return (yield* forEachGroup(os, storage, [wanted.group], remove, 'write')).status;
  };
}

function isConfirmed(os: Os, { group }: FoundGroup, name: string): boolean {
  os.print(
    `Do you really want to remove active ${isClustered(group) ? 'clustered ' : ''}logical volume ${name}? [y/n]: `,
  );
  if (os.input.trim() === 'y') return true;
  os.print(`  Logical volume ${name} not removed\n`);
  return false;
}

/** Deactivates a volume here, and looks whether it is active elsewhere. */
function* takeAway(os: Os, storage: Storage, group: VolumeGroup, volume: LogicalVolume): Task<string | undefined> {
  const refused = yield* deactivateOne(os, storage, group, volume);
  if (refused !== undefined || !isClustered(group)) return refused;
  return lockError(os, yield* askClvmd(os, { kind: 'claim', groupId: group.id, volumeId: volume.id }));
}
