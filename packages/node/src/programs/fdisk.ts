import type { Program, Task } from '@quorate/kernel';
import { FormatError, fdiskReport, type PartitionTable, readPartitionTable, VolumeError } from '@quorate/volumes';
import type { BlockDevice } from '../os/disks.js';
import { sectorDevice } from '../os/sector-device.js';
import type { Storage } from '../os/storage.js';

/** `fdisk -l [DEVICE…]`: the partition tables of devices, of all disks unless some are named. What cannot be read is left out. */
export function fdisk({ disks }: Storage): Program {
  return function* (argv, os) {
    const names = argv.slice(1).filter((word) => !word.startsWith('-'));
    if (!argv.includes('-l')) {
      os.printError('fdisk: only "fdisk -l" is served here\n');
      return 1;
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
