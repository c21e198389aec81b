import type { Os, Program, Task } from '@quorate/kernel';
import {
  commitGroup,
  displaySize,
  extendVolume,
  extentsOf,
  type FoundGroup,
  findVolume,
  VolumeError,
} from '@quorate/volumes';
import type { Storage } from '../../os/storage.js';
import { parseOptions } from '../options.js';
import { printError, resume } from './activate-volume.js';
import { committer } from './committer.js';
import { FAILED, forEachGroup, MISUSED } from './groups.js';
import { volumeName } from './volume-name.js';
import { type WantedSize, wantedExtents } from './wanted-extents.js';

/**
 * `lvextend -L [+]SIZE[kmgt]|-l [+]EXTENTS|-l +100%FREE GROUP/VOLUME`: makes a volume longer, also where it is in use.
 *
 * Differs from the original, which suspends the volume on all nodes while the metadata changes: here a table is replaced in one
 * step, and the old one stays right until then.
 */
export function lvextend(storage: Storage): Program {
  return function* (argv, os) {
    const { values, operands, error } = parseOptions(argv.slice(1), { flags: '', values: 'Ll' });
    const wanted = volumeName(operands[0]);
    const [size, extents] = [values.get('L'), values.get('l')];
    const isSized = (size === undefined) !== (extents === undefined);
    if (error !== undefined || wanted === undefined || operands.length > 1 || !isSized) {
      os.printError('  lvextend: expected -L [+]SIZE or -l [+]EXTENTS, and GROUP/VOLUME\n');
      return MISUSED;
    }
    const extend = (found: FoundGroup): Task<number> => extendOne(os, storage, found, wanted.name, { size, extents });
    return (yield* forEachGroup(os, storage, [wanted.group], extend, 'write')).status;
  };
}

function* extendOne(
  os: Os,
  storage: Storage,
  found: FoundGroup,
  name: string,
  { size, extents }: WantedSize,
): Task<number> {
  const { group, members } = found;
  const volume = findVolume(group, name);
  if (volume === undefined) throw new VolumeError('not-found', `Failed to find logical volume "${group.name}/${name}"`);
  const before = extentsOf(volume);
  const isMore = (size ?? extents ?? '').startsWith('+');
  const count = wantedExtents(group, { size: size?.replace(/^\+/, ''), extents: extents?.replace(/^\+/, '') });
  const after = isMore ? before + count : count;
  if (after < before) {
    const why = `New size given (${after} extents) not larger than existing size (${before} extents)`;
    throw new VolumeError('bad-argument', why);
  }
  if (after === before) {
    throw new VolumeError('bad-argument', `New size (${after} extents) matches existing size (${before} extents)`);
  }
  os.print(`  Extending logical volume ${name} to ${displaySize(after * group.extentSize)}\n`);
  const longer = extendVolume(group, name, after - before);
  const next = yield* commitGroup(longer, members.values(), committer(os, storage));
  const refused = yield* resume(os, storage, { ...found, group: next }, findVolume(next, name)!);
  if (refused !== undefined) {
    printError(os, `${refused}\nProblem reactivating ${name}`);
    return FAILED;
  }
  os.print(`  Logical volume ${name} successfully resized\n`);
  return 0;
}
