import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { UsageError } from './usage-error.js';

/**
 * A file that a run writes when it is over, opened before it begins: a path that cannot be written is told at once.
 *
 * What the file had stays until `begin`.
 */
export class OutputFile {
  readonly #path: string;
  readonly #descriptor: number;

  /** @throws {UsageError} when the file cannot be opened; `option` is the one that named it. */
  constructor(option: string, path: string) {
    this.#path = path;
    this.#descriptor = this.#attempt(() => openSync(path, constants.O_WRONLY | constants.O_CREAT), `${option}: `);
  }

  /** Drops what the file had; `length` bytes are zeros until they are written. */
  begin(length = 0): void {
    if (!fstatSync(this.#descriptor).isFile()) return;
    this.#attempt(() => ftruncateSync(this.#descriptor, 0));
    this.#attempt(() => ftruncateSync(this.#descriptor, length));
  }

  /** Writes all of `bytes`, at `position` if told and else where the last write ended. */
  write(bytes: Uint8Array, position: number | null = null): void {
    let done = 0;
    while (done < bytes.length) {
      const at = position === null ? null : position + done;
      done += this.#attempt(() => writeSync(this.#descriptor, bytes, done, bytes.length - done, at));
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #attempt<T>(call: () => T, prefix = ''): T {
    try {
      return call();
    } catch (error) {
      throw new UsageError(`${prefix}cannot write ${this.#path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
    }
  }
}
