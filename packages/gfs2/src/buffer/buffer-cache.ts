import { assert, type Nanos, type Task } from '@quorate/kernel';
import { Batch, type Disk } from '../disk.js';
import { LruList } from '../lru-list.js';
import { Refusal } from '../refusal.js';
import { type Scheduler, Signal, wait } from '../scheduler.js';
import { type AddressSpace, assertBlock, Buffer } from './buffer.js';

/** A block is being written in place: under a glock, or by the replay of a journal. */
export interface BlockWrittenFact {
  readonly kind: 'gfs2.block-written';
  readonly now: Nanos;
  readonly block: number;
  /** The transfer that carries it; `gfs2.write-done` tells whether the disk took it. */
  readonly write: number;
  /** The glock that protects it. Absent when a replay wrote it. */
  readonly glock?: { readonly type: number; readonly number: number };
  /** Id of the journal from which it was replayed. */
  readonly journal?: number;
}

/** Blocks in one write: what a SCSI command carries without being split (512 KiB at 4 KiB blocks). */
const MAX_RUN_BLOCKS = 128;

/** Blocks that a sweep passes beside two for each that is to go: some are busy, others were used lately. */
const SWEEP_BLOCKS = 16;

/** Blocks of memory kept for the next file data. */
const MAX_SPARE = 256;

/** All cached blocks of one mount, each under the glock that protects it. */
export class BufferCache {
  readonly #disk: Disk;
  readonly #scheduler: Scheduler;
  readonly #observe: ((fact: BlockWrittenFact) => void) | undefined;
  readonly #buffers = new Map<number, Buffer>();
  /** The same, in the order in which sweeps come by. */
  readonly #order = new LruList<Buffer>();
  readonly #reads = new Map<Buffer, Signal>();
  readonly #maxBuffers: number;
  readonly #inconsistent: (text: string) => never;
  /** The last one that was asked for: often it is the next one, too. */
  #last: Buffer | undefined = undefined;

  /** As many zeros as one transfer takes, once they are needed. */
  #zeros: Uint8Array | undefined = undefined;
  /** Where the blocks of one transfer are put together, once that is needed. */
  #run: Uint8Array | undefined = undefined;
  /** Memory of file data that was dropped, for the next. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  constructor(
    disk: Disk,
    scheduler: Scheduler,
    maxBuffers: number,
    observe: ((fact: BlockWrittenFact) => void) | undefined,
    inconsistent: (text: string) => never,
  ) {
    this.#disk = disk;
    this.#scheduler = scheduler;
    this.#maxBuffers = maxBuffers;
    this.#observe = observe;
    this.#inconsistent = inconsistent;
  }

  get size(): number {
    return this.#buffers.size;
  }

  /** The block if it is cached and valid. */
  get(block: number): Buffer | undefined {
    // What was dropped is not valid any more.
    const isLast = this.#last?.block === block && this.#last.isUptodate;
    const buffer = isLast ? this.#last : this.#buffers.get(block);
    if (buffer === undefined || !buffer.isUptodate) return undefined;
    buffer.isReferenced = true;
    this.#last = buffer;
    return buffer;
  }

  /** The same, if it is under that glock. */
  getIn(space: AddressSpace, block: number): Buffer | undefined {
    const buffer = this.get(block);
    return buffer?.space === space ? buffer : undefined;
  }

  /** The block, read from the disk if need be. The caller holds its glock. @throws {Refusal} EIO */
  *read(space: AddressSpace, block: number): Task<Buffer> {
    const cached = this.getIn(space, block);
    if (cached !== undefined) return cached;
    this.readAhead(space, block, 1);
    const buffer = this.#buffers.get(block)!;
    while (!buffer.isUptodate) {
      const signal = this.#reads.get(buffer);
      if (signal === undefined) throw new Refusal('EIO');
      yield* wait(signal);
    }
    return buffer;
  }

  /** Starts reading those blocks of the run that are not cached, in as few transfers as possible. */
  readAhead(space: AddressSpace, block: number, count: number): void {
    // A damaged pointer: no device has that block, and no number is the next one.
    if (!Number.isSafeInteger(block + count)) throw new Refusal('EIO');
    let start = block;
    for (let next = block; next <= block + count; next++) {
      const isMissing = next < block + count && !this.#isPresent(space, next);
      if (isMissing && next - start < MAX_RUN_BLOCKS) continue;
      if (next > start) this.#readRun(space, start, next - start);
      start = isMissing ? next : next + 1;
    }
  }

  /** A block that has just been allocated: zeros, valid without a read. */
  create(space: AddressSpace, block: number): Buffer {
    const buffer = this.createUnfilled(space, block);
    buffer.data.fill(0);
    return buffer;
  }

  /** The same for who writes all of it at once: until then it says anything. */
  createUnfilled(space: AddressSpace, block: number): Buffer {
    const buffer = this.#attach(space, block);
    buffer.isUptodate = true;
    return buffer;
  }

  /** Forgets a block, whatever its state. */
  drop(buffer: Buffer): void {
    if (this.#buffers.get(buffer.block) === buffer) this.#buffers.delete(buffer.block);
    this.#order.delete(buffer);
    buffer.space.buffers.delete(buffer.block);
    if (buffer.isDirty) buffer.space.dirtyData.delete(buffer);
    buffer.isUptodate = false;
  }

  /** Drops everything under a glock that is about to go (`go_inval`). */
  invalidate(space: AddressSpace): void {
    for (const buffer of [...space.buffers.values()]) {
      assert(!buffer.isPinned && !buffer.isDirty, `block ${buffer.block} would be lost with its glock`);
      this.drop(buffer);
    }
  }

  /** Forgets all that is cached, dirty or not: the node has withdrawn. */
  clear(): void {
    for (const buffer of [...this.#buffers.values()]) this.drop(buffer);
  }

  /**
   * Lets clean blocks that were not used lately go when there are too many. No operation may be under way.
   *
   * It goes on where the last one stopped, and gives those it passes a second chance; their number is bounded, as many may be busy.
   */
  sweep(): void {
    const excess = this.#buffers.size - this.#maxBuffers;
    if (excess <= 0) return;
    const most = Math.min(this.#buffers.size, 2 * excess + SWEEP_BLOCKS);
    for (let passed = 0; passed < most && this.#buffers.size > this.#maxBuffers; passed++) {
      const buffer = this.#order.first!;
      if (buffer.isBusy || buffer.isReferenced) {
        if (!buffer.isBusy) buffer.isReferenced = false;
        this.#order.use(buffer);
      } else {
        this.drop(buffer);
        // Nobody but an operation works on file data, and none is under way.
        if (buffer.isOrderedData && this.#spare.length < MAX_SPARE) this.#spare.push(buffer.data);
      }
    }
  }

  /** Writes blocks in place, neighbours together, and waits. Gives the first error. */
  *write(buffers: Buffer[]): Task<string | undefined> {
    buffers.sort((a, b) => a.block - b.block);
    const batch = new Batch(this.#scheduler);
    for (let i = 0; i < buffers.length; ) {
      let end = i + 1;
      while (end < buffers.length && end - i < MAX_RUN_BLOCKS && buffers[end]!.block === buffers[i]!.block + end - i) {
        end += 1;
      }
      this.#writeRun(buffers, i, end, batch);
      i = end;
    }
    return yield* batch.finish();
  }

  /** Writes zeros to blocks just allocated, which nobody has cached, and waits (`sb_issue_zeroout`). Gives the first error. */
  *writeZeros(space: AddressSpace, block: number, count: number): Task<string | undefined> {
    const batch = new Batch(this.#scheduler);
    assert(space.isExclusive, `block ${block} is written without its glock`);
    for (let at = block; at < block + count; at += MAX_RUN_BLOCKS) {
      const here = Math.min(MAX_RUN_BLOCKS, block + count - at);
      this.#zeros ??= new Uint8Array(MAX_RUN_BLOCKS * this.#disk.blockSize);
      for (let i = 0; i < here; i++) this.#tell(space, at + i);
      this.#disk.write(at, this.#zeros.subarray(0, here * this.#disk.blockSize), batch.expect());
    }
    return yield* batch.finish();
  }

  #tell({ type, number }: AddressSpace, block: number): void {
    this.#observe?.({
      kind: 'gfs2.block-written',
      now: this.#scheduler.now,
      block,
      write: this.#disk.nextId,
      glock: { type, number },
    });
  }

  #isPresent(space: AddressSpace, block: number): boolean {
    const buffer = this.#buffers.get(block);
    return buffer !== undefined && buffer.space === space && (buffer.isUptodate || this.#reads.has(buffer));
  }

  #readRun(space: AddressSpace, block: number, count: number): void {
    const buffers: Buffer[] = [];
    const signal = new Signal();
    for (let i = 0; i < count; i++) this.#checkFree(space, block + i);
    for (let i = 0; i < count; i++) {
      const buffer = this.#attach(space, block + i);
      buffers.push(buffer);
      this.#reads.set(buffer, signal);
    }
    this.#disk.read(block, count, (data, error) => {
      const size = this.#disk.blockSize;
      const isGood = error === undefined && data !== undefined && data.length >= count * size;
      buffers.forEach((buffer, i) => {
        this.#reads.delete(buffer);
        if (!isGood) this.drop(buffer);
        // A block created or dropped meanwhile keeps what it says.
        else if (this.#buffers.get(buffer.block) === buffer && !buffer.isUptodate) {
          buffer.data.set(data.subarray(i * size, (i + 1) * size));
          buffer.isUptodate = true;
        }
      });
      this.#scheduler.notify(signal);
    });
  }

  #attach(space: AddressSpace, block: number): Buffer {
    const existing = this.#buffers.get(block);
    if (existing !== undefined) {
      if (existing.space === space) return existing;
      this.#checkFree(space, block);
      // The block belonged to another inode before it was freed.
      this.drop(existing);
    }
    const buffer = new Buffer(space, block, this.#spare.pop() ?? new Uint8Array(this.#disk.blockSize));
    this.#buffers.set(block, buffer);
    this.#order.use(buffer);
    space.buffers.set(block, buffer);
    return buffer;
  }

  /** Two that lay claim to one block are a mistake of the volume. */
  #checkFree(space: AddressSpace, block: number): void {
    const existing = this.#buffers.get(block);
    if (existing === undefined || existing.space === space) return;
    if (existing.isPinned || existing.isDirty || existing.ail !== undefined) {
      this.#inconsistent(`block ${block} is still in use under another glock`);
    }
  }

  #runOf(blocks: number): Uint8Array {
    this.#run ??= new Uint8Array(MAX_RUN_BLOCKS * this.#disk.blockSize);
    return this.#run.subarray(0, blocks * this.#disk.blockSize);
  }

  #writeRun(buffers: readonly Buffer[], start: number, end: number, batch: Batch): void {
    const first = buffers[start]!;
    const size = this.#disk.blockSize;
    const data = end - start === 1 ? first.data : this.#runOf(end - start);
    for (let i = start; i < end; i++) {
      const { space, block, data: bytes } = buffers[i]!;
      assertBlock(space.isExclusive, buffers[i]!, 'is written without its glock');
      if (data !== bytes) data.set(bytes, (i - start) * size);
      this.#tell(space, block);
    }
    this.#disk.write(first.block, data, batch.expect());
  }
}
