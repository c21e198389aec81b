import type { Program, Task } from '@quorate/kernel';
import { FormatError, fdiskReport, type PartitionTable, readPartitionTable, VolumeError } from '@quorate/volumes';
import type { BlockDevice } from '../os/disks.js';
import { sectorDevice } from '../os/sector-device.js';
import type { Storage } from '../os/storage.js';
import { FdiskDialogue } from './fdisk-dialogue.js';

/**
 * `fdisk -l [DEVICE…]`: the partition tables of devices, of all disks unless some are named; what cannot be read is left out.
 * `fdisk DISK`: a dialogue.
 */
export function fdisk(storage: Storage): Program {
  const { disks } = storage;
  return function* (argv, os) {
    const names = argv.slice(1).filter((word) => !word.startsWith('-'));
    if (!argv.includes('-l')) {
      const [name = ''] = names;
      const disk = disks.device(name);
      if (disk === undefined || names.length !== 1) {
        os.printError(name === '' ? 'Usage: fdisk [-l] <disk>\n' : `Unable to open ${name}\n`);
        return 1;
      }
      try {
        return yield* new FdiskDialogue(os, storage, disk, yield* tableOf(disk)).run();
      } catch (error) {
        if (!(error instanceof VolumeError)) throw error;
        os.printError(`Unable to read or write ${name}\n`);
        return 1;
      }
    }
    const devices = names.length > 0 ? names.map((name) => disks.device(name)) : disks.wholeDisks;
    for (const device of devices) if (device !== undefined) os.print(yield* reportOf(device));
    return 0;
  };
}

function* reportOf(device: BlockDevice): Task<string> {
  try {
    return fdiskReport(device.path, device.blocks, yield* tableOf(device));
  } catch (error) {
    if (error instanceof VolumeError) return '';
    throw error;
  }
}

function* tableOf(device: BlockDevice): Task<PartitionTable | undefined> {
  try {
    return yield* readPartitionTable(sectorDevice(device));
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
