import type { FileChange } from '@quorate/node';

interface File {
  /** Its first `size` bytes are the content. */
  buffer: Uint8Array;
  size: number;
}

/** The files of a machine that are there again after it has lost its power. A log grows for days, line by line. */
export class RootDisk {
  readonly #files = new Map<string, File>();

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    for (const [path, bytes] of files) this.#replace(path, bytes);
  }

  change(change: FileChange): void {
    switch (change.change) {
      case 'removed':
        this.#files.delete(change.path);
        break;
      case 'replaced':
        this.#replace(change.path, change.bytes);
        break;
      case 'appended':
        this.#append(change.path, change.bytes);
        break;
    }
  }

  /** The files as a boot finds them; valid until the next change. */
  contents(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#files].map(([path, { buffer, size }]) => [path, buffer.subarray(0, size)]));
  }

  #replace(path: string, bytes: Uint8Array): void {
    this.#files.set(path, { buffer: bytes.slice(), size: bytes.length });
  }

  #append(path: string, bytes: Uint8Array): void {
    const file = this.#files.get(path);
    if (file === undefined) return this.#replace(path, bytes);
    const size = file.size + bytes.length;
    if (size > file.buffer.length) {
      const grown = new Uint8Array(size + (size >> 2));
      grown.set(file.buffer.subarray(0, file.size));
      file.buffer = grown;
    }
    file.buffer.set(bytes, file.size);
    file.size = size;
  }
}
