import type { ByteFile } from '@quorate/scsi';
import type { Note } from './facts.js';

/** A file whose flushes are told. */
export class ObservedFile implements ByteFile {
  readonly isReadOnly = false;
  readonly #file: ByteFile;
  readonly #note: Note;

  constructor(file: ByteFile, note: Note) {
    this.#file = file;
    this.#note = note;
  }

  get size(): number {
    return this.#file.size;
  }

  read(offset: number, into: Uint8Array): void {
    this.#file.read(offset, into);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#file.write(offset, bytes);
  }

  resize(size: number): void {
    this.#file.resize(size);
  }

  flush(): void {
    this.#file.flush();
    this.#note({ kind: 'vhdx.flushed' });
  }
}
