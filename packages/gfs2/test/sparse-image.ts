import { ftruncateSync, writeSync } from 'node:fs';
import { bytesEqual } from '@quorate/kernel';
import type { ReadableDevice, WritableDevice } from '../src/device.js';

const PAGE = 4096;

/** A device in memory that keeps only pages with something in them. */
export class SparseImage implements ReadableDevice, WritableDevice {
  readonly sizeBytes: number;
  readonly #pages: Map<number, Uint8Array>;

  constructor(sizeBytes: number, pages: Map<number, Uint8Array> = new Map()) {
    this.sizeBytes = sizeBytes;
    this.#pages = pages;
  }

  static fromBytes(bytes: Uint8Array): SparseImage {
    const image = new SparseImage(bytes.length);
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    for (let at = 0; at < bytes.length; at += PAGE) {
      let bits = 0;
      for (let i = at / 4; i < (at + PAGE) / 4; i++) bits |= words[i]!;
      // A copy in any case: the `slice` of a Node buffer would share its memory.
      if (bits !== 0) image.#pages.set(at / PAGE, new Uint8Array(bytes.subarray(at, at + PAGE)));
    }
    return image;
  }

  /** A copy that can be damaged without harm to this one. */
  fork(): SparseImage {
    return new SparseImage(this.sizeBytes, new Map(this.#pages));
  }

  /** The same content on a device of another size. */
  resized(sizeBytes: number): SparseImage {
    return new SparseImage(sizeBytes, new Map(this.#pages));
  }

  /** One of the same size without content. */
  blank(): SparseImage {
    return new SparseImage(this.sizeBytes);
  }

  read(byteOffset: number, into: Uint8Array): void {
    if (byteOffset < 0 || byteOffset + into.length > this.sizeBytes) throw new Error(`read of byte ${byteOffset}`);
    for (let done = 0; done < into.length; ) {
      const at = byteOffset + done;
      const within = at % PAGE;
      const count = Math.min(PAGE - within, into.length - done);
      const page = this.#pages.get(Math.floor(at / PAGE));
      if (page === undefined) into.fill(0, done, done + count);
      else into.set(page.subarray(within, within + count), done);
      done += count;
    }
  }

  write(byteOffset: number, bytes: Uint8Array): void {
    if (byteOffset < 0 || byteOffset + bytes.length > this.sizeBytes) throw new Error(`write to byte ${byteOffset}`);
    for (let done = 0; done < bytes.length; ) {
      const at = byteOffset + done;
      const within = at % PAGE;
      const count = Math.min(PAGE - within, bytes.length - done);
      const number = Math.floor(at / PAGE);
      // A page is never changed in place: a fork may share it.
      const page = this.#pages.get(number)?.slice() ?? new Uint8Array(PAGE);
      page.set(bytes.subarray(done, done + count), within);
      this.#pages.set(number, page);
      done += count;
    }
  }

  /** Changes bytes of one block. */
  patch(blockSize: number, block: number, change: (bytes: Uint8Array, view: DataView) => void): void {
    const bytes = new Uint8Array(blockSize);
    this.read(block * blockSize, bytes);
    change(bytes, new DataView(bytes.buffer));
    this.write(block * blockSize, bytes);
  }

  /** Pages that differ between two images of the same size, by their first byte. */
  differences(other: SparseImage): number[] {
    const zeros = new Uint8Array(PAGE);
    return [...new Set([...this.#pages.keys(), ...other.#pages.keys()])]
      .filter((number) => {
        const page = this.#pages.get(number);
        return page !== other.#pages.get(number) && !bytesEqual(page ?? zeros, other.#pages.get(number) ?? zeros);
      })
      .map((number) => number * PAGE)
      .sort((a, b) => a - b);
  }

  /** Writes it to a file: all of it, or what is different from an image of the same size that the file holds already. */
  writeTo(fd: number, held: SparseImage = new SparseImage(this.sizeBytes)): void {
    ftruncateSync(fd, this.sizeBytes);
    for (const at of this.differences(held)) {
      const page = new Uint8Array(PAGE);
      this.read(at, page);
      writeSync(fd, page, 0, PAGE, at);
    }
  }
}
