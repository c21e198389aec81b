import type { RepairDevice } from '@quorate/gfs2';
import type { Errno, Task } from '@quorate/kernel';
import { SECTOR_BYTES, type SectorDevice } from '@quorate/volumes';
import { readWhole, type SectorWrite, writeJoined } from './transfers.js';

/** Bytes that are read at once where nothing is known of what comes next. */
const CHUNK_BYTES = 1 << 20;

/** A run of misses that go on where the one before ended reads twice as much each time, up to that many chunks. */
const MOST_AHEAD = 16;

/** What is needed next has not been read. */
class Missing extends Error {
  readonly chunk: number;

  constructor(chunk: number) {
    super(`chunk ${chunk} has not been read`);
    this.chunk = chunk;
  }
}

/**
 * Lets work that cannot wait look at a volume, and change it: whatever it misses is read from the device, and the work begins
 * anew. What it has changed in the run that came to its end is written then, and nothing before.
 *
 * `work` must do the same whenever it finds the same. Memory: all that it looks at.
 */
export function* withVolume<T>(device: SectorDevice, work: (volume: RepairDevice) => T): Task<T | Errno> {
  const volume = new VolumeInMemory(device.sectors * SECTOR_BYTES);
  let ahead = 1;
  let next = -1;
  for (;;) {
    try {
      const result = work(volume);
      return (yield* writeJoined(device, volume.writes())) ?? result;
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      volume.forgetWrites();
      ahead = error.chunk === next ? Math.min(2 * ahead, MOST_AHEAD) : 1;
      const end = volume.endOfGap(error.chunk, ahead);
      for (let chunk = error.chunk; chunk < end; chunk++) {
        const failed = yield* readWhole(device, (chunk * CHUNK_BYTES) / SECTOR_BYTES, volume.addChunk(chunk));
        if (failed !== undefined) return failed;
      }
      next = end;
    }
  }
}

class VolumeInMemory implements RepairDevice {
  readonly sizeBytes: number;
  readonly #read = new Map<number, Uint8Array>();
  /** Chunks that were written to, as they are then. */
  readonly #changed = new Map<number, Uint8Array>();
  /** Sectors that were written to. */
  readonly #sectors = new Set<number>();

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }

  read(byteOffset: number, into: Uint8Array): void {
    for (const { chunk, at, from, length } of pieces(byteOffset, into.length)) {
      into.set(this.#chunkAt(chunk).subarray(at, at + length), from);
    }
  }

  write(byteOffset: number, bytes: Uint8Array): void {
    for (const { chunk, at, from, length } of pieces(byteOffset, bytes.length)) {
      let changed = this.#changed.get(chunk);
      if (changed === undefined) {
        changed = this.#chunkAt(chunk).slice();
        this.#changed.set(chunk, changed);
      }
      changed.set(bytes.subarray(from, from + length), at);
    }
    const last = Math.floor((byteOffset + bytes.length - 1) / SECTOR_BYTES);
    for (let sector = Math.floor(byteOffset / SECTOR_BYTES); sector <= last; sector++) this.#sectors.add(sector);
  }

  /** All sectors that were written to, in the order of their addresses. */
  writes(): readonly SectorWrite[] {
    return [...this.#sectors]
      .sort((a, b) => a - b)
      .map((sector) => {
        const bytes = new Uint8Array(SECTOR_BYTES);
        this.read(sector * SECTOR_BYTES, bytes);
        return { sector, bytes };
      });
  }

  forgetWrites(): void {
    this.#changed.clear();
    this.#sectors.clear();
  }

  /** End of the chunks from `first` on that have not been read, `count` at most. */
  endOfGap(first: number, count: number): number {
    const end = Math.min(first + count, Math.ceil(this.sizeBytes / CHUNK_BYTES));
    let chunk = first + 1;
    while (chunk < end && !this.#read.has(chunk)) chunk += 1;
    return chunk;
  }

  /** The chunk's memory, for what is read to be put into. */
  addChunk(chunk: number): Uint8Array {
    const bytes = new Uint8Array(Math.min(CHUNK_BYTES, this.sizeBytes - chunk * CHUNK_BYTES));
    this.#read.set(chunk, bytes);
    return bytes;
  }

  #chunkAt(chunk: number): Uint8Array {
    const bytes = this.#changed.get(chunk) ?? this.#read.get(chunk);
    if (bytes === undefined) throw new Missing(chunk);
    return bytes;
  }
}

interface Piece {
  readonly chunk: number;
  /** Where in the chunk, and where in the whole. */
  readonly at: number;
  readonly from: number;
  readonly length: number;
}

function* pieces(byteOffset: number, length: number): Generator<Piece> {
  for (let from = 0; from < length; ) {
    const chunk = Math.floor((byteOffset + from) / CHUNK_BYTES);
    const at = byteOffset + from - chunk * CHUNK_BYTES;
    const part = Math.min(CHUNK_BYTES - at, length - from);
    yield { chunk, at, from, length: part };
    from += part;
  }
}
