import type { ByteFile } from '@quorate/scsi';

/** The log's place in the file: positions within it wrap round at its end. */
export class LogRing {
  readonly offset: number;
  readonly length: number;
  readonly #file: ByteFile;

  constructor(file: ByteFile, offset: number, length: number) {
    this.#file = file;
    this.offset = offset;
    this.length = length;
  }

  read(position: number, into: Uint8Array): void {
    const first = Math.min(into.length, this.length - position);
    this.#file.read(this.offset + position, into.subarray(0, first));
    if (first < into.length) this.#file.read(this.offset, into.subarray(first));
  }

  write(position: number, bytes: Uint8Array): void {
    const first = Math.min(bytes.length, this.length - position);
    this.#file.write(this.offset + position, bytes.subarray(0, first));
    if (first < bytes.length) this.#file.write(this.offset, bytes.subarray(first));
  }

  after(position: number, bytes: number): number {
    return (position + bytes) % this.length;
  }
}
