import type { ByteFile } from '@quorate/scsi';
import { isZero } from './zeros.js';

interface Patch {
  readonly offset: number;
  readonly length: number;
  /** Absent: zeros. */
  readonly bytes?: Uint8Array;
}

/**
 * A file that is not written: what would have been is kept beside it, in memory.
 *
 * For the few updates of a log; reading looks at every one of them. Copies what it is given.
 */
export class OverlayFile implements ByteFile {
  readonly isReadOnly = true;
  readonly #base: ByteFile;
  readonly #patches: Patch[] = [];
  #size: number;

  constructor(base: ByteFile) {
    this.#base = base;
    this.#size = base.size;
  }

  get size(): number {
    return this.#size;
  }

  read(offset: number, into: Uint8Array): void {
    this.#base.read(offset, into);
    for (const patch of this.#patches) {
      const start = Math.max(offset, patch.offset);
      const end = Math.min(offset + into.length, patch.offset + patch.length);
      if (start >= end) continue;
      if (patch.bytes === undefined) into.fill(0, start - offset, end - offset);
      else into.set(patch.bytes.subarray(start - patch.offset, end - patch.offset), start - offset);
    }
  }

  write(offset: number, bytes: Uint8Array): void {
    const patch = { offset, length: bytes.length };
    this.#patches.push(isZero(bytes) ? patch : { ...patch, bytes: bytes.slice() });
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  /** Extends the file; what is cut off still reads as it was. */
  resize(size: number): void {
    this.#size = size;
  }

  flush(): void {}
}
