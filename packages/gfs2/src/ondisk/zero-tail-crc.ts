import { crc32cRaw } from '@quorate/kernel';

/**
 * CRC-32C of a block whose end is zero, without reading that end.
 *
 * A CRC register moves over a run of zeros by a linear map. So the map over the block's last four bytes of content and
 * all the zeros behind them is kept as four tables of 256 words, and a log header costs the CRC of its 68 bytes of
 * content instead of that of a whole block.
 */
export class ZeroTailCrc {
  readonly #blockSize: number;
  readonly #contentEnd: number;
  readonly #tables: Int32Array = new Int32Array(4 * 256);

  /** For blocks of `blockSize` bytes whose bytes from `contentEnd` on are zero. */
  constructor(blockSize: number, contentEnd: number) {
    this.#blockSize = blockSize;
    this.#contentEnd = contentEnd;
    const message = new Uint8Array(blockSize - contentEnd + 4);
    // The register starts at all ones, so the word 0xffffffff cancels it and its image is the zero of the linear map.
    for (let bit = 0; bit < 32; bit++) {
      message.fill(0xff, 0, 4);
      message[bit >> 3] = 0xff ^ (1 << (bit & 7));
      this.#setBasis(bit, crc32cRaw(message));
    }
  }

  /** The checksum (start all ones, not inverted at its end) of `block` from `start` to its end. */
  of(block: Uint8Array, start: number): number {
    const last = this.#contentEnd - 4;
    const word = block[last]! | (block[last + 1]! << 8) | (block[last + 2]! << 16) | (block[last + 3]! << 24);
    const register = crc32cRaw(block, start, last) ^ word;
    const tables = this.#tables;
    return (
      (tables[register & 0xff]! ^
        tables[256 + ((register >>> 8) & 0xff)]! ^
        tables[512 + ((register >>> 16) & 0xff)]! ^
        tables[768 + (register >>> 24)]!) >>>
      0
    );
  }

  /** The same for a block whose end may hold anything. Looking for zeros is several times faster than their CRC. */
  ofUnknown(block: Uint8Array, start: number): number {
    return this.#isTailZero(block) ? this.of(block, start) : crc32cRaw(block, start, this.#blockSize);
  }

  #isTailZero(block: Uint8Array): boolean {
    const start = block.byteOffset + this.#contentEnd;
    if ((start & 3) !== 0) return false;
    const words = new Int32Array(block.buffer, start, (this.#blockSize - this.#contentEnd) >> 2);
    let bits = 0;
    for (let i = 0; i < words.length; i++) bits |= words[i]!;
    return bits === 0;
  }

  #setBasis(bit: number, image: number): void {
    const table = (bit >> 3) * 256;
    const place = 1 << (bit & 7);
    for (let value = place; value < 256; value++) {
      if ((value & place) !== 0) this.#tables[table + value]! ^= image;
    }
  }
}
