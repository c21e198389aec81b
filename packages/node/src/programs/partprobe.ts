import type { Os, Program, Task } from '@quorate/kernel';
import { VolumeError } from '@quorate/volumes';
import type { BlockDevice } from '../os/disks.js';
import type { Storage } from '../os/storage.js';

/** `partprobe [DISK…]`: reads partition tables again, of all disks unless some are named. */
export function partprobe(storage: Storage): Program {
  return function* (argv, os) {
    const names = argv.slice(1).filter((word) => !word.startsWith('-'));
    const paths = names.length > 0 ? names : storage.disks.wholeDisks.map(({ path }) => path);
    let status = 0;
    for (const path of paths) {
      const refused = yield* probe(os, path, storage);
      if (refused === undefined) continue;
      os.printError(`Error: ${refused}\n`);
      status = 1;
    }
    return status;
  };
}

function* probe(os: Os, path: string, { disks, partitions }: Storage): Task<string | undefined> {
  const disk = disks.wholeDisks.find((each) => each === disks.device(path));
  if (disk === undefined) return `Could not stat device ${path} - No such file or directory.`;
  try {
    const refused = yield* partitions.scan(disk);
    if (refused !== undefined) {
      return `Partitions of ${path} are in use: the kernel goes on with the old table. You should reboot now.`;
    }
    os.log('info', 'kernel', ` ${tableLine(disk, partitions.of(disk))}`);
    return undefined;
  } catch (error) {
    if (!(error instanceof VolumeError)) throw error;
    return `Input/output error during read on ${path}`;
  }
}

/** `sdb: sdb1 sdb2`, as the kernel logs it. */
function tableLine({ path }: BlockDevice, partitions: readonly BlockDevice[]): string {
  const names = [path, ...partitions.map((partition) => partition.path)].map((name) => name.replace(/^.*\//, ''));
  return `${names[0]}: ${names.slice(1).join(' ') || 'unknown partition table'}`;
}
