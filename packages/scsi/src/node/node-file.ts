import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import type { ByteFile } from '../store/byte-file.js';
import { StoreError, type StoreFailure } from '../store/store-error.js';

export interface NodeFileOptions {
  /** Default false. */
  readonly isReadOnly?: boolean;
  /** Makes the file anew, and refuses one that is there; default false. */
  readonly isNew?: boolean;
}

/** A file of the host's file system. Its size is read once: nobody else may change it while this is open. */
export class NodeFile implements ByteFile {
  readonly path: string;
  readonly isReadOnly: boolean;
  readonly #descriptor: number;
  #size: number;

  /** @throws the host's error (`ENOENT`, `EACCES`, `EEXIST`, …) when it cannot be opened so. */
  constructor(path: string, options: NodeFileOptions = {}) {
    this.path = path;
    this.isReadOnly = options.isReadOnly ?? false;
    const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = constants;
    const access = this.isReadOnly ? O_RDONLY : O_RDWR;
    this.#descriptor = openSync(path, options.isNew === true ? access | O_CREAT | O_EXCL : access, 0o666);
    this.#size = fstatSync(this.#descriptor).size;
  }

  get size(): number {
    return this.#size;
  }

  read(offset: number, into: Uint8Array): void {
    let done = 0;
    while (done < into.length) {
      const read = attempt('unreadable', offset + done, () =>
        readSync(this.#descriptor, into, done, into.length - done, offset + done),
      );
      if (read === 0) break;
      done += read;
    }
    if (done < into.length) into.fill(0, done);
  }

  write(offset: number, bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      done += attempt('unwritable', offset + done, () =>
        writeSync(this.#descriptor, bytes, done, bytes.length - done, offset + done),
      );
    }
    if (offset + done > this.#size) this.#size = offset + done;
  }

  resize(size: number): void {
    attempt('unwritable', size, () => ftruncateSync(this.#descriptor, size));
    this.#size = size;
  }

  flush(): void {
    attempt('unwritable', 0, () => fdatasyncSync(this.#descriptor));
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function attempt<T>(failure: StoreFailure, offset: number, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const hasNoSpace = code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
    throw new StoreError(hasNoSpace ? 'no-space' : failure, offset, message, { cause });
  }
}
