import { type BlockStore, PAGE_BYTES, StoreError, type StoreExtent, type StorePage } from '@quorate/scsi';
import type { BlockMap } from './block-map.js';
import { NIL_GUID } from './guid.js';
import { beginWrite, durably, flushImage, type ImageState } from './image-state.js';
import { infoOf, type VhdxInfo } from './info.js';
import { writePayload, zeroPayload } from './payload.js';
import { type ResizeOptions, resizeImage } from './resize.js';
import { MIB } from './units.js';
import { isZero } from './zeros.js';

/** Granularity in which `pages` reads the file. */
const PIECE_BYTES = 64 * 1024;

/**
 * An open VHDX: the store of a logical unit, or of whoever else reads and writes blocks.
 *
 * What was written before a `flush` that returned is there after any crash; what was written after it may be there, each
 * sector old or new. Blocks without a place in the file read as zero.
 *
 * The file's errors come through as `StoreError` with the offset within the virtual disk. After a flush that failed nothing
 * more can be written: open the image again.
 */
export class VhdxImage implements BlockStore {
  readonly blockLength: number;
  readonly hasWriteCache = true;
  /**
   * Gives back the room of blocks that are covered whole, and makes the rest zero. A fixed image has no such thing.
   *
   * Room is used again for other blocks; the file gets shorter at `close`, if it is at its end.
   */
  readonly unmap?: (lba: number, blocks: number) => void;
  readonly #state: ImageState;

  /** Made by `openVhdx`. */
  constructor(state: ImageState) {
    this.#state = state;
    const { metadata, structures } = state.layout;
    this.blockLength = metadata.logicalSectorSize;
    if (!metadata.isFixed) this.unmap = (lba, blocks) => this.#unmap(lba, blocks);
    const note = state.writing?.note;
    if (note === undefined) return;
    note({ kind: 'vhdx.opened', blockSize: metadata.blockSize, structures });
    for (let block = 0; block < state.map.blocks; block++) {
      const mib = state.map.mibOf(block);
      if (mib > 0) note({ kind: 'vhdx.block-placed', block, offset: mib * MIB });
    }
  }

  get blocks(): number {
    const { diskSize, logicalSectorSize } = this.#state.layout.metadata;
    return diskSize / logicalSectorSize;
  }

  get mappedBlocks(): number {
    const { map, layout } = this.#state;
    const perBlock = layout.metadata.blockSize / this.blockLength;
    const unused = map.blocks * perBlock - this.blocks;
    return map.present * perBlock - (map.isPresent(map.blocks - 1) ? unused : 0);
  }

  get isReadOnly(): boolean {
    return this.#state.writing === undefined;
  }

  get info(): VhdxInfo {
    return infoOf(this.#state);
  }

  read(lba: number, blocks: number, into: Uint8Array): void {
    this.#checkRange(lba, blocks, into.length);
    const { file, map } = this.#state;
    const { blockSize } = this.#state.layout.metadata;
    const first = lba * this.blockLength;
    const total = blocks * this.blockLength;
    for (let at = 0; at < total; ) {
      const block = Math.floor((first + at) / blockSize);
      const start = first + at - block * blockSize;
      const length = Math.min(blockSize - start, total - at);
      const part = length === into.length ? into : into.subarray(at, at + length);
      if (map.isPresent(block)) {
        try {
          file.read(map.mibOf(block) * MIB + start, part);
        } catch (error) {
          throw within(error, first + at);
        }
      } else {
        part.fill(0);
      }
      at += length;
    }
  }

  write(lba: number, bytes: Uint8Array): void {
    this.#checkRange(lba, bytes.length / this.blockLength, bytes.length);
    const state = this.#state;
    const { blockSize } = state.layout.metadata;
    const first = lba * this.blockLength;
    const writing = beginWrite(state, first);
    for (let at = 0; at < bytes.length; ) {
      const block = Math.floor((first + at) / blockSize);
      const start = first + at - block * blockSize;
      const length = Math.min(blockSize - start, bytes.length - at);
      const part = length === bytes.length ? bytes : bytes.subarray(at, at + length);
      try {
        writePayload(state, writing, block, start, part);
      } catch (error) {
        throw within(error, first + at);
      }
      at += length;
    }
  }

  flush(): void {
    const { writing } = this.#state;
    if (writing === undefined || (!writing.isDirty && writing.failure === undefined)) return;
    flushImage(this.#state, beginWrite(this.#state, 0));
  }

  extentAt(lba: number): StoreExtent {
    this.#checkRange(lba, 1, this.blockLength);
    const { map } = this.#state;
    const perBlock = this.#state.layout.metadata.blockSize / this.blockLength;
    const block = Math.floor(lba / perBlock);
    const isMapped = map.isPresent(block);
    let end = block + 1;
    while (end < map.blocks && map.isPresent(end) === isMapped) end += 1;
    return { isMapped, blocks: Math.min(end * perBlock, this.blocks) - lba };
  }

  *pages(): Iterable<StorePage> {
    const { blockSize, diskSize } = this.#state.layout.metadata;
    const { map } = this.#state;
    for (let block = 0; block < map.blocks; block++) {
      if (map.isPresent(block))
        yield* this.#pagesOf(map, block * blockSize, Math.min((block + 1) * blockSize, diskSize));
    }
  }

  *#pagesOf(map: BlockMap, from: number, end: number): Iterable<StorePage> {
    const place = map.mibOf(from / this.#state.layout.metadata.blockSize) * MIB;
    for (let offset = from; offset < end; offset += PIECE_BYTES) {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, end - offset));
      this.#state.file.read(place + offset - from, piece);
      for (let at = 0; at < piece.length; at += PAGE_BYTES) {
        const bytes = piece.subarray(at, at + PAGE_BYTES);
        if (!isZero(bytes)) yield { offset: offset + at, bytes };
      }
    }
  }

  /**
   * Changes the size of the virtual disk, and flushes. A crash leaves the old size or the new one.
   *
   * @throws {ConfigError} when the size is impossible, or cuts off blocks that have a place and `isDiscarding` is not given.
   * @throws {StoreError} when the image cannot be written.
   */
  resize(size: number, options: ResizeOptions = {}): void {
    resizeImage(this.#state, size, options);
  }

  /** Flushes, empties the log, and cuts unused room off the end of a dynamic image. Nothing can be written afterwards. */
  close(): void {
    const { file, headers, layout, rooms, writing } = this.#state;
    if (writing === undefined) return;
    this.flush();
    if (writing.isTouched) {
      durably(writing, () => {
        if (headers.current.logGuid !== NIL_GUID) file.flush();
        writing.log.empty();
        if (layout.metadata.isFixed || file.size <= rooms.end * MIB) return;
        file.resize(rooms.end * MIB);
        file.flush();
      });
    }
    delete this.#state.writing;
  }

  #unmap(lba: number, blocks: number): void {
    this.#checkRange(lba, blocks, Infinity);
    const state = this.#state;
    const { blockSize } = state.layout.metadata;
    const first = lba * this.blockLength;
    const writing = beginWrite(state, first);
    const total = blocks * this.blockLength;
    for (let at = 0; at < total; ) {
      const block = Math.floor((first + at) / blockSize);
      const start = first + at - block * blockSize;
      const length = Math.min(blockSize - start, total - at);
      try {
        zeroPayload(state, writing, block, start, length);
      } catch (error) {
        throw within(error, first + at);
      }
      at += length;
    }
  }

  #checkRange(lba: number, blocks: number, bytes: number): void {
    if (!Number.isInteger(lba) || !Number.isInteger(blocks) || lba < 0 || blocks < 0 || lba > this.blocks - blocks) {
      throw new RangeError(`blocks ${lba} + ${blocks} of ${this.blocks}`);
    }
    if (bytes < blocks * this.blockLength) throw new RangeError(`${bytes} bytes for ${blocks} blocks`);
  }
}

/** An error of the file as one of the store; `offset` is where in the store the piece begins that failed. */
function within(error: unknown, offset: number): unknown {
  return error instanceof StoreError ? new StoreError(error.failure, offset, error.message, { cause: error }) : error;
}
