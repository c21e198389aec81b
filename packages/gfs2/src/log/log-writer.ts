import type { Batch, Disk } from '../disk.js';
import type { JournalMap } from './journal-map.js';

/** Blocks collected before they are written: 128 KiB at 4 KiB blocks. */
const RUN_BLOCKS = 32;

/** Appends blocks to a journal, neighbours in one write. */
export class LogWriter {
  readonly #disk: Disk;
  readonly #map: JournalMap;
  readonly #scratch: Uint8Array<ArrayBuffer>;
  #start = 0;
  #count = 0;

  constructor(disk: Disk, map: JournalMap) {
    this.#disk = disk;
    this.#map = map;
    this.#scratch = new Uint8Array(RUN_BLOCKS * disk.blockSize);
  }

  /** Room for journal block `blkno`, zeroed; fill it before the next call. */
  slot(blkno: number, batch: Batch): Uint8Array<ArrayBuffer> {
    const isNext = blkno === this.#start + this.#count && this.#map.runAt(this.#start, RUN_BLOCKS) > this.#count;
    if (!isNext) {
      this.submit(batch);
      this.#start = blkno;
    }
    const at = this.#count * this.#disk.blockSize;
    this.#count += 1;
    return this.#scratch.subarray(at, at + this.#disk.blockSize).fill(0);
  }

  /** Writes what was collected. */
  submit(batch: Batch): void {
    if (this.#count === 0) return;
    const data = this.#scratch.subarray(0, this.#count * this.#disk.blockSize);
    this.#count = 0;
    this.#disk.write(this.#map.addressOf(this.#start), data, batch.expect());
  }
}
