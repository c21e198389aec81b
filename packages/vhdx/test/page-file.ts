import type { ByteFile } from '@quorate/scsi';

const PAGE_BYTES = 4096;

/** A file in memory that is copied at no cost: copies share their pages until one of them is written. */
export class PageFile implements ByteFile {
  readonly isReadOnly = false;
  #pages = new Map<number, Uint8Array>();
  #size = 0;

  /** What `file` holds; its zeros cost nothing. */
  static of(file: ByteFile): PageFile {
    const copy = new PageFile();
    const bytes = new Uint8Array(PAGE_BYTES);
    for (let at = 0; at < file.size; at += PAGE_BYTES) {
      file.read(at, bytes);
      if (!isZero(bytes)) copy.write(at, bytes);
    }
    copy.resize(file.size);
    return copy;
  }

  get size(): number {
    return this.#size;
  }

  copy(): PageFile {
    const copy = new PageFile();
    copy.#pages = new Map(this.#pages);
    copy.#size = this.#size;
    return copy;
  }

  read(offset: number, into: Uint8Array): void {
    for (let at = 0; at < into.length; ) {
      const { page, start, length } = place(offset + at, into.length - at);
      const bytes = this.#pages.get(page);
      if (bytes === undefined) into.fill(0, at, at + length);
      else into.set(bytes.subarray(start, start + length), at);
      at += length;
    }
  }

  write(offset: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const { page, start, length } = place(offset + at, bytes.length - at);
      const part = bytes.subarray(at, at + length);
      const old = this.#pages.get(page);
      if (old !== undefined || !isZero(part)) {
        const changed = old?.slice() ?? new Uint8Array(PAGE_BYTES);
        changed.set(part, start);
        this.#pages.set(page, changed);
      }
      at += length;
    }
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  resize(size: number): void {
    const last = Math.floor(size / PAGE_BYTES);
    if (size < this.#size) {
      for (const [page, bytes] of this.#pages) {
        if (page > last) this.#pages.delete(page);
        else if (page === last) this.#pages.set(page, bytes.slice().fill(0, size - last * PAGE_BYTES));
      }
    }
    this.#size = size;
  }

  flush(): void {}
}

function place(offset: number, bytes: number): { page: number; start: number; length: number } {
  const page = Math.floor(offset / PAGE_BYTES);
  const start = offset - page * PAGE_BYTES;
  return { page, start, length: Math.min(PAGE_BYTES - start, bytes) };
}

function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}
