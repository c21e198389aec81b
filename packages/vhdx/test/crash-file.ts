import type { Prng } from '@quorate/kernel';
import type { ByteFile } from '@quorate/scsi';
import { PageFile } from './page-file.js';

type Operation =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'resize'; readonly size: number };

/**
 * A file that remembers what was done since its last flush, and can be asked what a crash leaves of it.
 *
 * `durable` is what the last flush left. A crash adds to it any of the operations since: a prefix of them, or any subset,
 * the last one or each of them torn at a multiple of 512 or 4096 bytes.
 */
export class CrashFile implements ByteFile {
  readonly isReadOnly = false;
  readonly #now: PageFile;
  readonly #durable: PageFile;
  readonly #since: Operation[] = [];
  /** Called before each operation and each flush: the moments at which a crash may come. */
  onStep: () => void = () => {};

  constructor(base: ByteFile) {
    this.#now = PageFile.of(base);
    this.#durable = PageFile.of(base);
  }

  get size(): number {
    return this.#now.size;
  }

  /** Operations since the last flush. */
  get pending(): number {
    return this.#since.length;
  }

  read(offset: number, into: Uint8Array): void {
    this.#now.read(offset, into);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.onStep();
    this.#since.push({ kind: 'write', offset, bytes: bytes.slice() });
    this.#now.write(offset, bytes);
  }

  resize(size: number): void {
    this.onStep();
    this.#since.push({ kind: 'resize', size });
    this.#now.resize(size);
  }

  flush(): void {
    this.onStep();
    for (const operation of this.#since) apply(this.#durable, operation);
    this.#since.length = 0;
  }

  /** What a crash leaves: the first `count` operations since the flush, and `tornBytes` of the next one. */
  afterPrefix(count: number, tornBytes = 0): PageFile {
    const file = this.#durable.copy();
    for (const operation of this.#since.slice(0, count)) apply(file, operation);
    const next = this.#since[count];
    if (next !== undefined && tornBytes > 0) apply(file, torn(next, 0, tornBytes));
    return file;
  }

  /** What a crash leaves when the host wrote in an order of its own: of each operation all, nothing, or some sectors. */
  afterSubset(prng: Prng): PageFile {
    const file = this.#durable.copy();
    for (const operation of this.#since) {
      const fate = prng.below(4);
      if (fate === 1) apply(file, operation);
      else if (fate >= 2 && operation.kind === 'write') {
        // Large writes are torn into 64 pieces, which keeps a run short.
        const piece = operation.bytes.length > 64 * 4096 ? operation.bytes.length / 64 : fate === 2 ? 512 : 4096;
        for (let at = 0; at < operation.bytes.length; at += piece) {
          if (prng.below(2) === 1) apply(file, torn(operation, at, at + piece));
        }
      }
    }
    return file;
  }
}

function torn(operation: Operation, from: number, end: number): Operation {
  if (operation.kind === 'resize') return operation;
  return { ...operation, offset: operation.offset + from, bytes: operation.bytes.subarray(from, end) };
}

function apply(file: PageFile, operation: Operation): void {
  if (operation.kind === 'resize') file.resize(operation.size);
  else file.write(operation.offset, operation.bytes);
}
