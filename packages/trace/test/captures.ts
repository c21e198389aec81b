import { concatBytes } from '@quorate/kernel';

/** A file that something writes piece by piece. */
export function fileOf(write: (sink: (bytes: Uint8Array) => void) => void): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  write((bytes) => pieces.push(bytes.slice()));
  return concatBytes(...pieces);
}
