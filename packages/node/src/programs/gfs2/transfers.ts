import type { Errno, Task } from '@quorate/kernel';
import { isErrno } from '@quorate/kernel';
import { SECTOR_BYTES, type SectorDevice } from '@quorate/volumes';

/** Bytes of one command to the disk, at most. */
const TRANSFER_BYTES = 1 << 20;

export interface SectorWrite {
  readonly sector: number;
  /** Whole sectors. */
  readonly bytes: Uint8Array;
}

/** Writes in that order; what lies side by side goes in one command. The first error ends it. */
export function* writeJoined(device: SectorDevice, writes: readonly SectorWrite[]): Task<Errno | undefined> {
  for (let i = 0; i < writes.length; ) {
    const { sector } = writes[i]!;
    let end = i;
    let length = 0;
    while (
      end < writes.length &&
      writes[end]!.sector === sector + length / SECTOR_BYTES &&
      (length === 0 || length + writes[end]!.bytes.length <= TRANSFER_BYTES)
    ) {
      length += writes[end]!.bytes.length;
      end += 1;
    }
    const joined = new Uint8Array(length);
    let at = 0;
    for (; i < end; i++) {
      joined.set(writes[i]!.bytes, at);
      at += writes[i]!.bytes.length;
    }
    const failed = yield* device.write(sector, joined);
    if (failed !== undefined) return failed;
  }
  return undefined;
}

/** Fills `into` from a sector on, with as few commands as the disk takes. */
export function* readWhole(device: SectorDevice, sector: number, into: Uint8Array): Task<Errno | undefined> {
  for (let at = 0; at < into.length; ) {
    const length = Math.min(TRANSFER_BYTES, into.length - at);
    const bytes = yield* device.read(sector + at / SECTOR_BYTES, length / SECTOR_BYTES);
    if (isErrno(bytes)) return bytes;
    into.set(bytes, at);
    at += length;
  }
  return undefined;
}
