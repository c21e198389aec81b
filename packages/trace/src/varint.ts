import { utf8Bytes } from '@quorate/kernel';

/** The most bytes of one integer. */
export const MOST_VARINT_BYTES = 8;

/** Puts an integer from 0 to 2^53 - 1 at that place, seven bits a byte, low first, and gives the place behind it. */
export function putUnsigned(bytes: Uint8Array, place: number, value: number): number {
  if (value < 0x80) {
    bytes[place] = value;
    return place + 1;
  }
  let at = place;
  let rest = value;
  // Above 2^31 bit operations would lose the upper half.
  while (rest > 0x7fff_ffff) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

/** A signed integer within ±2^52, folded so that small magnitudes stay short. */
export function putSigned(bytes: Uint8Array, place: number, value: number): number {
  return putUnsigned(bytes, place, value >= 0 ? value * 2 : -value * 2 - 1);
}

/** Bytes that grow as values are added to them. */
export class VarintWriter {
  #bytes = new Uint8Array(65_536);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  reset(): void {
    this.#length = 0;
  }

  /** What was written since `reset`; aliases the writer's buffer. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /**
   * Room for so many bytes behind those that were written, to be filled from `length` on; `filled` says how far. One record
   * is put into it field by field, without asking for room each time.
   */
  room(count: number): Uint8Array {
    this.#reserve(count);
    return this.#bytes;
  }

  filled(length: number): void {
    this.#length = length;
  }

  unsigned(value: number): void {
    this.#reserve(MOST_VARINT_BYTES);
    this.#length = putUnsigned(this.#bytes, this.#length, value);
  }

  signed(value: number): void {
    this.#reserve(MOST_VARINT_BYTES);
    this.#length = putSigned(this.#bytes, this.#length, value);
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Its length in UTF-8, then that. */
  text(text: string): void {
    const { length } = text;
    this.#reserve(length + 8);
    const start = this.#length;
    this.unsigned(length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) {
        this.#length = start;
        const encoded = utf8Bytes(text);
        this.unsigned(encoded.length);
        return this.raw(encoded);
      }
      bytes[at++] = code;
    }
    this.#length = at;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Reads what `VarintWriter` wrote. Past the end it gives 0 and clears `ok`. */
export class VarintReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #ok = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ok(): boolean {
    return this.#ok;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    if (this.#at >= this.#bytes.length) {
      this.#ok = false;
      return 0;
    }
    return this.#bytes[this.#at++]!;
  }

  unsigned(): number {
    let value = 0;
    for (let scale = 1; scale <= 0x2_0000_0000_0000; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    this.#ok = false;
    return 0;
  }

  signed(): number {
    const folded = this.unsigned();
    return folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
  }

  /** The next `count` bytes; aliases the input. */
  raw(count: number): Uint8Array {
    if (count > this.left) {
      this.#ok = false;
      return this.#bytes.subarray(0, 0);
    }
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }
}
