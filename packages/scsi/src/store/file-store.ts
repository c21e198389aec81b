import { ConfigError } from '@quorate/kernel';
import { BlockBitmap } from './block-bitmap.js';
import type { BlockStore, StoreExtent } from './block-store.js';
import type { ByteFile } from './byte-file.js';
import { StoreError } from './store-error.js';

export interface FileStoreOptions {
  /** 512 (the default) or 4096. */
  readonly blockLength?: number;
  /** Size in blocks; that of the file when left out. A thick file that is smaller is extended by zeros. */
  readonly blocks?: number;
  /** Grows with what is written, and knows which blocks have room; default false. */
  readonly isThin?: boolean;
}

/**
 * A raw image: block n lies at byte n × `blockLength` of the file, and nothing else is in it.
 *
 * Thin: which blocks have room is known for as long as the store lives. A file that is opened again has room for all
 * blocks up to its end, as a raw image cannot say more. What is unmapped is overwritten with zeros; at the end of the file it
 * is cut off, and the file gets the length back that it was opened with: a raw image says its disk's size by that.
 */
export class FileStore implements BlockStore {
  readonly blockLength: number;
  readonly hasWriteCache = true;
  /** Only for thin stores. */
  readonly unmap?: (lba: number, blocks: number) => void;
  readonly extentAt?: (lba: number) => StoreExtent;
  readonly #file: ByteFile;
  #blocks: number;
  /** Of the file when it was opened or resized: it never stays shorter. */
  #leastSize: number;
  readonly #mapped: BlockBitmap | undefined;

  /** @throws {ConfigError} for another block length, or a size that is no whole number of blocks or smaller than the file. */
  constructor(file: ByteFile, options: FileStoreOptions = {}) {
    const blockLength = options.blockLength ?? 512;
    if (blockLength !== 512 && blockLength !== 4096)
      throw new ConfigError('blockLength', `${blockLength}`, '512 or 4096');
    const blocks = options.blocks ?? file.size / blockLength;
    if (!Number.isSafeInteger(blocks * blockLength) || !Number.isInteger(blocks) || blocks <= 0) {
      throw new ConfigError('blocks', `${blocks}`, `a size of whole blocks of ${blockLength} bytes`);
    }
    if (file.size > blocks * blockLength) {
      throw new ConfigError('blocks', `${blocks}`, `at least the ${Math.ceil(file.size / blockLength)} of the file`);
    }
    this.#blocks = blocks;
    this.blockLength = blockLength;
    this.#file = file;
    this.#leastSize = file.size;
    if (options.isThin !== true) {
      if (file.size < blocks * blockLength) file.resize(blocks * blockLength);
      return;
    }
    const mapped = new BlockBitmap(blocks);
    mapped.set(0, Math.ceil(file.size / blockLength), true);
    this.#mapped = mapped;
    this.unmap = (lba, count) => this.#unmap(lba, count, mapped);
    this.extentAt = (lba) => mapped.runAt(lba);
  }

  get blocks(): number {
    return this.#blocks;
  }

  /** Undefined for a thick store. */
  get mappedBlocks(): number | undefined {
    return this.#mapped?.mapped;
  }

  /**
   * Gives the disk, and the file, another size; what is new reads as zero.
   *
   * @throws {RangeError} for a size that is no whole number of blocks; `StoreError` when the file cannot have it.
   */
  resize(blocks: number): void {
    const size = blocks * this.blockLength;
    if (!Number.isSafeInteger(size) || !Number.isInteger(blocks) || blocks <= 0)
      throw new RangeError(`${blocks} blocks`);
    this.#file.resize(size);
    this.#blocks = blocks;
    this.#leastSize = size;
    this.#mapped?.resize(blocks);
  }

  read(lba: number, blocks: number, into: Uint8Array): void {
    this.#checkRange(lba, blocks);
    const length = blocks * this.blockLength;
    this.#file.read(lba * this.blockLength, into.length === length ? into : into.subarray(0, length));
  }

  write(lba: number, bytes: Uint8Array): void {
    const blocks = bytes.length / this.blockLength;
    this.#checkRange(lba, blocks);
    const offset = lba * this.blockLength;
    if (this.#file.isReadOnly) throw new StoreError('unwritable', offset, 'the file was opened for reading');
    this.#file.write(offset, bytes);
    this.#mapped?.set(lba, blocks, true);
  }

  flush(): void {
    this.#file.flush();
  }

  #unmap(lba: number, blocks: number, mapped: BlockBitmap): void {
    this.#checkRange(lba, blocks);
    const { blockLength } = this;
    const end = Math.min(Math.ceil(this.#file.size / blockLength), lba + blocks);
    if (end * blockLength >= this.#file.size && lba < end) this.#cut(lba * blockLength);
    else this.#zeroMapped(lba, end, mapped);
    mapped.set(lba, blocks, false);
  }

  #cut(size: number): void {
    this.#file.resize(size);
    if (size < this.#leastSize) this.#file.resize(this.#leastSize);
  }

  /** What has no room is zero already. */
  #zeroMapped(lba: number, end: number, mapped: BlockBitmap): void {
    for (let at = lba; at < end; ) {
      const run = mapped.runAt(at);
      const next = Math.min(end, at + run.blocks);
      if (run.isMapped) this.#zero(at * this.blockLength, next * this.blockLength);
      at = next;
    }
  }

  #zero(offset: number, end: number): void {
    const zeros = new Uint8Array(Math.min(1024 * 1024, Math.max(0, end - offset)));
    for (let at = offset; at < end; at += zeros.length) {
      this.#file.write(at, zeros.subarray(0, Math.min(zeros.length, end - at)));
    }
  }

  #checkRange(lba: number, blocks: number): void {
    if (!Number.isInteger(lba) || !Number.isInteger(blocks) || lba < 0 || blocks < 0 || lba > this.blocks - blocks) {
      throw new RangeError(`blocks ${lba} + ${blocks} of ${this.blocks}`);
    }
  }
}
