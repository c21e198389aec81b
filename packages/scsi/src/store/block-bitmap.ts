import type { StoreExtent } from './block-store.js';

const CHUNK_BYTES = 4096;
const CHUNK_BLOCKS = 8 * CHUNK_BYTES;

/** One bit for each block: whether it has room. Chunks of 32768 blocks that are all alike take no memory. */
export class BlockBitmap {
  #blocks: number;
  #mapped = 0;
  /** By number of the chunk: all of it, none of it, or its bits, the first block in the least significant bit. */
  readonly #chunks: (boolean | Uint8Array)[];

  /** All blocks are without room at first. */
  constructor(blocks: number) {
    this.#blocks = blocks;
    this.#chunks = new Array<boolean | Uint8Array>(Math.ceil(blocks / CHUNK_BLOCKS)).fill(false);
  }

  /** Blocks that have room. */
  get mapped(): number {
    return this.#mapped;
  }

  set(lba: number, blocks: number, isMapped: boolean): void {
    const end = lba + blocks;
    for (let at = lba; at < end; ) {
      const number = Math.floor(at / CHUNK_BLOCKS);
      const start = at - number * CHUNK_BLOCKS;
      const count = Math.min(CHUNK_BLOCKS - start, end - at);
      const chunk = this.#chunks[number];
      if (typeof chunk === 'boolean' && count === this.#blocksIn(number)) {
        if (chunk !== isMapped) this.#mapped += isMapped ? count : -count;
        this.#chunks[number] = isMapped;
      } else if (chunk !== isMapped) this.#setIn(number, start, count, isMapped);
      at += count;
    }
  }

  /** Another number of blocks; what is new is without room. */
  resize(blocks: number): void {
    const old = this.#blocks;
    const count = Math.ceil(blocks / CHUNK_BLOCKS);
    if (blocks < old) this.set(blocks, old - blocks, false);
    else if (old % CHUNK_BLOCKS > 0) this.#bitsOf(Math.floor(old / CHUNK_BLOCKS));
    this.#blocks = blocks;
    this.#chunks.length = Math.min(this.#chunks.length, count);
    while (this.#chunks.length < count) this.#chunks.push(false);
  }

  /** The run of blocks that are like the one at `lba`. */
  runAt(lba: number): StoreExtent {
    const isMapped = this.#isMapped(lba);
    let end = lba + 1;
    while (end < this.#blocks && this.#isMapped(end) === isMapped) {
      const isWhole = end % CHUNK_BLOCKS === 0 && typeof this.#chunks[end / CHUNK_BLOCKS] === 'boolean';
      end += isWhole ? CHUNK_BLOCKS : 1;
    }
    return { blocks: Math.min(end, this.#blocks) - lba, isMapped };
  }

  #isMapped(lba: number): boolean {
    const chunk = this.#chunks[Math.floor(lba / CHUNK_BLOCKS)]!;
    if (typeof chunk === 'boolean') return chunk;
    const bit = lba % CHUNK_BLOCKS;
    return ((chunk[bit >> 3]! >> (bit & 7)) & 1) === 1;
  }

  #setIn(number: number, start: number, count: number, isMapped: boolean): void {
    const changed = setBits(this.#bitsOf(number), start, count, isMapped);
    this.#mapped += isMapped ? changed : -changed;
    if (count === this.#blocksIn(number)) this.#chunks[number] = isMapped;
  }

  #blocksIn(number: number): number {
    return Math.min(CHUNK_BLOCKS, this.#blocks - number * CHUNK_BLOCKS);
  }

  /** The chunk as bits; those beyond the last block are not set. */
  #bitsOf(number: number): Uint8Array {
    const chunk = this.#chunks[number]!;
    if (typeof chunk !== 'boolean') return chunk;
    const bits = new Uint8Array(CHUNK_BYTES);
    if (chunk) setBits(bits, 0, this.#blocksIn(number), true);
    this.#chunks[number] = bits;
    return bits;
  }
}

/** Gives bits that value; how many of them had the other one. */
function setBits(bytes: Uint8Array, start: number, count: number, isSet: boolean): number {
  let changed = 0;
  for (let bit = start; bit < start + count; bit++) {
    const mask = 1 << (bit & 7);
    if (((bytes[bit >> 3]! & mask) !== 0) === isSet) continue;
    bytes[bit >> 3]! ^= mask;
    changed += 1;
  }
  return changed;
}
