import { type Errno, isErrno, type Task } from '@quorate/kernel';
import { SECTOR_BYTES, type SectorDevice } from '@quorate/volumes';
import { readWhole, writeJoined } from './gfs2/transfers.js';

/** Bytes of one command to the disk, at most. */
const COMMAND_BYTES = 1 << 20;

/** A block device by bytes. */
interface DeviceBytes {
  readonly length: number;
  read(offset: number, length: number): Task<Uint8Array | Errno>;
  /** What is no whole sector is read first. */
  write(offset: number, bytes: Uint8Array): Task<Errno | undefined>;
}

export function deviceBytes(device: SectorDevice): DeviceBytes {
  const read = function* (offset: number, length: number): Task<Uint8Array | Errno> {
    if (length <= 0) return new Uint8Array(0);
    const first = Math.floor(offset / SECTOR_BYTES);
    const around = new Uint8Array((Math.ceil((offset + length) / SECTOR_BYTES) - first) * SECTOR_BYTES);
    const failed = yield* readWhole(device, first, around);
    const at = offset - first * SECTOR_BYTES;
    return failed ?? around.subarray(at, at + length);
  };
  return {
    length: device.sectors * SECTOR_BYTES,
    read,
    *write(offset, bytes) {
      const start = offset - (offset % SECTOR_BYTES);
      const end = Math.ceil((offset + bytes.length) / SECTOR_BYTES) * SECTOR_BYTES;
      let whole = bytes;
      if (end - start !== bytes.length) {
        const old = yield* read(start, end - start);
        if (isErrno(old)) return old;
        whole = old.slice();
        whole.set(bytes, offset - start);
      }
      const writes = [];
      for (let at = 0; at < whole.length; at += COMMAND_BYTES) {
        writes.push({ sector: (start + at) / SECTOR_BYTES, bytes: whole.subarray(at, at + COMMAND_BYTES) });
      }
      return yield* writeJoined(device, writes);
    },
  };
}
