import type { ByteFile } from './byte-file.js';

const CHUNK_BYTES = 64 * 1024;

/** A file in memory that keeps what was written, in chunks of 64 KiB: holes cost nothing. */
export class MemoryFile implements ByteFile {
  readonly isReadOnly = false;
  readonly #chunks = new Map<number, Uint8Array>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  read(offset: number, into: Uint8Array): void {
    this.#visit(offset, into.length, (number, start, length, at) => {
      const chunk = this.#chunks.get(number);
      if (chunk === undefined) into.fill(0, at, at + length);
      else into.set(chunk.subarray(start, start + length), at);
    });
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#visit(offset, bytes.length, (number, start, length, at) => {
      let chunk = this.#chunks.get(number);
      if (chunk === undefined) {
        chunk = new Uint8Array(CHUNK_BYTES);
        this.#chunks.set(number, chunk);
      }
      chunk.set(bytes.subarray(at, at + length), start);
    });
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  resize(size: number): void {
    const last = Math.floor(size / CHUNK_BYTES);
    for (const [number, chunk] of this.#chunks) {
      if (number > last) this.#chunks.delete(number);
      else if (number === last) chunk.fill(0, size - last * CHUNK_BYTES);
    }
    this.#size = size;
  }

  flush(): void {}

  /** Calls back for each chunk that the range touches: its number, the place in it, and the place in the range. */
  #visit(
    offset: number,
    bytes: number,
    visit: (number: number, start: number, length: number, at: number) => void,
  ): void {
    for (let at = 0; at < bytes; ) {
      const number = Math.floor((offset + at) / CHUNK_BYTES);
      const start = offset + at - number * CHUNK_BYTES;
      const length = Math.min(CHUNK_BYTES - start, bytes - at);
      visit(number, start, length, at);
      at += length;
    }
  }
}
