import type { Os, Program, Task } from '@quorate/kernel';
import { changeVolumeTag, commitGroup, type FoundGroup, findVolume } from '@quorate/volumes';
import type { Storage } from '../../os/storage.js';
import { changeActivation, parseActivation, printError } from './activate-volume.js';
import { committer } from './committer.js';
import { FAILED, forEachGroup, MISUSED } from './groups.js';
import { parseTagChange, type Tagging } from './tag-change.js';
import { volumeName } from './volume-name.js';

/**
 * `lvchange -a[l|e]y|-a[l]n GROUP/VOLUME`: makes one volume a device of this machine, or takes it away; one of a clustered group
 * on all nodes, with `l` on this one, with `e` on this one and no other. `--addtag TAG`, `--deltag TAG`: tags it.
 */
export function lvchange(storage: Storage): Program {
  return function* (argv, os) {
    const tagging = parseTagChange(argv.slice(1));
    if (tagging !== undefined) return yield* tag(os, storage, tagging);
    const { activation, names } = parseActivation(argv.slice(1));
    const wanted = volumeName(names[0]);
    if (activation === undefined || wanted === undefined || names.length > 1) {
      os.printError('  lvchange: expected -ay, -aly, -aey, -an or -aln, and GROUP/VOLUME\n');
      return MISUSED;
    }
    const act = function* (found: FoundGroup): Task<number> {
      const volume = findVolume(found.group, wanted.name);
      const refused =
        volume === undefined
          ? `Failed to find logical volume "${wanted.group}/${wanted.name}"`
          : yield* changeActivation(os, storage, found, volume, activation);
      if (refused === undefined) return 0;
      printError(os, refused);
      return FAILED;
    };
    return (yield* forEachGroup(os, storage, [wanted.group], act)).status;
  };
}

function* tag(os: Os, storage: Storage, { change, name }: Tagging): Task<number> {
  const wanted = volumeName(name);
  if (wanted === undefined) {
    os.printError('  lvchange: expected GROUP/VOLUME\n');
    return MISUSED;
  }
  const act = function* ({ group, members }: FoundGroup): Task<number> {
    yield* commitGroup(changeVolumeTag(group, wanted.name, change), members.values(), committer(os, storage));
    os.print(`  Logical volume "${wanted.name}" changed\n`);
    return 0;
  };
  return (yield* forEachGroup(os, storage, [wanted.group], act, 'write')).status;
}
