import type { Os, Program, Task } from '@quorate/kernel';
import {
  commitGroup,
  createVolume,
  type FoundGroup,
  findVolume,
  isClustered,
  newUuid,
  removeVolume,
} from '@quorate/volumes';
import type { Storage } from '../../os/storage.js';
import { parseOptions } from '../options.js';
import { type Activation, changeActivation, printError } from './activate-volume.js';
import { committer } from './committer.js';
import { FAILED, forEachGroup, MISUSED } from './groups.js';
import { volumeName } from './volume-name.js';
import { wantedExtents } from './wanted-extents.js';

/** `lvcreate -n NAME -L SIZE[kmgt]|-l EXTENTS|-l 100%FREE GROUP`: makes a linear volume, and activates it: in a clustered group on all nodes. */
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
        extents: wantedExtents(group, { size, extents }),
        creationHost: options.host,
        creationTime: options.time,
      });
      const next = yield* commitGroup(full, members.values(), options);
      const made = { ...found, group: next };
      const refused = yield* changeActivation(os, storage, made, findVolume(next, name)!, EVERYWHERE);
      if (refused !== undefined) {
        printError(os, `${refused}\nFailed to activate new LV.`);
        return yield* takeBack(os, storage, made, name);
      }
      os.print(`  Logical volume "${name}" created.\n`);
      return 0;
    };
    return (yield* forEachGroup(os, storage, [groupName], create, 'write')).status;
  };
}

const EVERYWHERE: Activation = { change: 'activate', isLocal: false };
const NOWHERE: Activation = { change: 'deactivate', isLocal: false };

/** A volume that is not active where it should be does not stay. */
function* takeBack(os: Os, storage: Storage, found: FoundGroup, name: string): Task<number> {
  const refused = yield* changeActivation(os, storage, found, findVolume(found.group, name)!, NOWHERE);
  if (refused !== undefined) {
    printError(os, `${refused}\nUnable to deactivate failed new LV. Manual intervention required.`);
  } else {
    yield* commitGroup(removeVolume(found.group, name), found.members.values(), committer(os, storage));
  }
  return FAILED;
}

/** `lvremove [-f] GROUP/VOLUME`: takes a volume away that no machine uses, on all of them; without `-f` it asks before one that is active here goes. */
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
      const refused = yield* changeActivation(os, storage, found, volume, NOWHERE);
      if (refused !== undefined) {
        printError(os, `${refused}\nUnable to deactivate logical volume "${name}"`);
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
