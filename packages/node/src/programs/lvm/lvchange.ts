import type { Program, Task } from '@quorate/kernel';
import { type FoundGroup, findVolume } from '@quorate/volumes';
import type { Storage } from '../../os/storage.js';
import { activateOne, deactivateOne, parseActivation } from './activate-volume.js';
import { FAILED, forEachGroup, MISUSED } from './groups.js';
import { volumeName } from './volume-name.js';

/** `lvchange -a[l]y|-a[l]n GROUP/VOLUME`: makes one volume a device of this machine, or takes it away. */
export function lvchange(storage: Storage): Program {
  return function* (argv, os) {
    const { change, names } = parseActivation(argv.slice(1));
    const wanted = volumeName(names[0]);
    if (change === undefined || wanted === undefined || names.length > 1) {
      os.printError('  lvchange: expected -aly, -aln, -ay or -an, and GROUP/VOLUME\n');
      return MISUSED;
    }
    const act = function* (found: FoundGroup): Task<number> {
      const volume = findVolume(found.group, wanted.name);
      const refused =
        volume === undefined
          ? `Failed to find logical volume "${wanted.group}/${wanted.name}"`
          : change === 'y'
            ? yield* activateOne(os, storage, found, volume)
            : yield* deactivateOne(os, storage, found.group, volume);
      if (refused === undefined) return 0;
      os.printError(`  ${refused}\n`);
      return FAILED;
    };
    return (yield* forEachGroup(os, storage, [wanted.group], act)).status;
  };
}
