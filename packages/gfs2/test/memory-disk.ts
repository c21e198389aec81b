import type { SparseImage } from './sparse-image.js';

/** What reached a disk: a write, or a flush that makes the writes before it durable. */
export type DiskEvent = { readonly block: number; readonly data: Uint8Array } | 'flush';

/** A disk in memory that is read and written in blocks, and if asked for keeps the history of what was written to it. */
export class MemoryDisk {
  readonly blockSize: number;
  /** The same disk in bytes: what mkfs and the checker want. */
  readonly image: SparseImage;
  history: DiskEvent[] | undefined = undefined;

  constructor(blockSize: number, image: SparseImage) {
    this.blockSize = blockSize;
    this.image = image;
  }

  /** A copy that shares what neither of the two changes. */
  fork(): MemoryDisk {
    return new MemoryDisk(this.blockSize, this.image.fork());
  }

  read(block: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * this.blockSize);
    this.image.read(block * this.blockSize, bytes);
    return bytes;
  }

  write(block: number, data: Uint8Array): void {
    if (data.length % this.blockSize !== 0) throw new Error(`a write of ${data.length} bytes`);
    this.image.write(block * this.blockSize, data);
    if (this.history === undefined) return;
    for (let at = 0; at < data.length; at += this.blockSize) {
      const copy = data.slice(at, at + this.blockSize);
      this.history.push({ block: block + at / this.blockSize, data: copy });
    }
  }

  discard(block: number, count: number): void {
    const zeros = new Uint8Array(this.blockSize);
    for (let at = block; at < block + count; at++) this.write(at, zeros);
  }

  flush(): void {
    this.history?.push('flush');
  }
}
