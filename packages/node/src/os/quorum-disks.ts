import { isErrno, type ScsiReply, type Task } from '@quorate/kernel';
import type { BlockDevice as QuorumDevice } from '@quorate/qdisk';
import { read10, write10 } from '@quorate/scsi';
import type { BlockDevice, Disks } from './disks.js';
import type { SystemCall } from './system-call.js';

/** The node's block devices, as qdiskd and mkqdisk look for a quorum disk on them. */
export function quorumDisks(disks: Disks): readonly QuorumDevice[] {
  const devices = disks.devices();
  return devices.map((device) => ({
    paths: [...(device.aliases ?? []), device.path],
    sectorSize: 512,
    sectors: device.blocks,
    isHeld: devices.some((other) => other !== device && other.lun === device.lun && isInside(other, device)),
    *readSector(sector) {
      const reply = yield* command(device, read10(device.start + sector, 1), undefined);
      return reply === undefined ? 'EIO' : reply.data;
    },
    *writeSector(sector, bytes) {
      const reply = yield* command(device, write10(device.start + sector, 1), bytes);
      return reply === undefined ? 'EIO' : undefined;
    },
  }));
}

/** A partition, or a volume on it, keeps the whole disk below it. */
function isInside(part: BlockDevice, whole: BlockDevice): boolean {
  return part.start >= whole.start && part.start + part.blocks <= whole.start + whole.blocks;
}

/** Sends a command until it is not a unit attention that comes back; undefined when it failed. */
function* command(device: BlockDevice, cdb: Uint8Array, data: Uint8Array | undefined): Task<ScsiReply | undefined> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const call: SystemCall = { call: 'scsi', device: device.path, cdb, data };
    const reply = (yield call) as ScsiReply | 'ENOENT';
    if (isErrno(reply)) return undefined;
    if (reply.status === 0) return reply;
  }
  return undefined;
}
