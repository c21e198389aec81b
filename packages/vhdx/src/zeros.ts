import type { ByteFile } from '@quorate/scsi';
import { MIB } from './units.js';

const ZEROS = new Uint8Array(MIB);

/** Writes zeros, a MiB at a time; nothing when the length is not positive. */
export function writeZeros(file: ByteFile, offset: number, length: number): void {
  for (let done = 0; done < length; done += MIB) {
    const piece = Math.min(MIB, length - done);
    file.write(offset + done, piece === MIB ? ZEROS : ZEROS.subarray(0, piece));
  }
}

export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
