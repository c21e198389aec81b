import { type Errno, isErrno, type ScsiReply, type Task } from '@quorate/kernel';
import { read10, write10 } from '@quorate/scsi';
import type { SectorDevice } from '@quorate/volumes';
import type { BlockDevice } from './disks.js';
import type { SystemCall } from './system-call.js';

/** A block device as programs read and write it. What lies in several extents is out of their reach: EIO. */
export function sectorDevice(device: BlockDevice): SectorDevice {
  return {
    path: device.path,
    sectors: device.blocks,
    *read(sector, count) {
      const reply = yield* command(device, read10(device.start + sector, count), undefined);
      return isErrno(reply) ? reply : reply.data;
    },
    *write(sector, bytes) {
      const reply = yield* command(device, write10(device.start + sector, bytes.length / 512), bytes);
      return isErrno(reply) ? reply : undefined;
    },
  };
}

/** Sends a command until it is not a unit attention that comes back. */
function* command(device: BlockDevice, cdb: Uint8Array, data: Uint8Array | undefined): Task<ScsiReply | Errno> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const call: SystemCall = { call: 'scsi', device: device.path, cdb, data };
    const reply = (yield call) as ScsiReply | Errno;
    if (isErrno(reply)) return 'EIO';
    if (reply.status === 0) return reply;
  }
  return 'EIO';
}
