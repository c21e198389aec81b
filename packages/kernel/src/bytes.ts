/** Whether two runs of bytes are equal in length and content. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** A view over the same memory as `bytes`: what is written to one is seen in the other. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads an unsigned 16-bit field without a view over it: one for each small message costs more than all that is read. */
export function u16At(bytes: Uint8Array, offset: number, littleEndian: boolean): number {
  const first = bytes[offset]!;
  const second = bytes[offset + 1]!;
  return littleEndian ? first | (second << 8) : (first << 8) | second;
}

/** Reads an unsigned 32-bit field without a view. */
export function u32At(bytes: Uint8Array, offset: number, littleEndian: boolean): number {
  const first = u16At(bytes, offset, littleEndian);
  const second = u16At(bytes, offset + 2, littleEndian);
  return (littleEndian ? first | (second << 16) : (first << 16) | second) >>> 0;
}

/**
 * Reads an unsigned 64-bit field as a number. Exact up to 2^53 - 1; above that the nearest double.
 *
 * Block numbers, sizes and sequence numbers fit; keys and other opaque values are read with `getBigUint64`.
 */
export function getU64(view: DataView, offset: number, littleEndian = false): number {
  const low = view.getUint32(littleEndian ? offset : offset + 4, littleEndian);
  const high = view.getUint32(littleEndian ? offset + 4 : offset, littleEndian);
  return high * 0x1_0000_0000 + low;
}

/** Writes a number of at most 2^53 - 1 as an unsigned 64-bit field. */
export function setU64(view: DataView, offset: number, value: number, littleEndian = false): void {
  view.setUint32(littleEndian ? offset : offset + 4, value >>> 0, littleEndian);
  view.setUint32(littleEndian ? offset + 4 : offset, Math.floor(value / 0x1_0000_0000), littleEndian);
}

/** Reads a signed 64-bit field as a number, exact within ±(2^53 - 1). */
export function getI64(view: DataView, offset: number, littleEndian = false): number {
  const low = view.getUint32(littleEndian ? offset : offset + 4, littleEndian);
  const high = view.getInt32(littleEndian ? offset + 4 : offset, littleEndian);
  return high * 0x1_0000_0000 + low;
}

/** Writes a number within ±(2^53 - 1) as a signed 64-bit field. */
export function setI64(view: DataView, offset: number, value: number, littleEndian = false): void {
  view.setUint32(littleEndian ? offset : offset + 4, value >>> 0, littleEndian);
  view.setInt32(littleEndian ? offset + 4 : offset, Math.floor(value / 0x1_0000_0000), littleEndian);
}

/**
 * Writes a packet field by field into one buffer that it owns and reuses.
 *
 * What `bytes()` returns aliases that buffer and is valid until the next `reset()`.
 */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;
  readonly #littleEndian: boolean;

  constructor(littleEndian: boolean, capacity = 2048) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = viewOf(this.#bytes);
    this.#littleEndian = littleEndian;
  }

  reset(): this {
    this.#length = 0;
    return this;
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#take(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#take(2);
    this.#view.setUint16(at, value, this.#littleEndian);
    return this;
  }

  /** Signed values are written by their two's complement. */
  u32(value: number): this {
    const at = this.#take(4);
    this.#view.setUint32(at, value, this.#littleEndian);
    return this;
  }

  u64(value: number): this {
    const at = this.#take(8);
    setU64(this.#view, at, value, this.#littleEndian);
    return this;
  }

  big64(value: bigint): this {
    const at = this.#take(8);
    this.#view.setBigUint64(at, value, this.#littleEndian);
    return this;
  }

  /** Copies the bytes in; with `size` the field is cut or filled with zeros to exactly that many bytes. */
  raw(bytes: Uint8Array, size: number = bytes.length): this {
    const at = this.#take(size);
    if (bytes.length >= size) this.#bytes.set(bytes.length === size ? bytes : bytes.subarray(0, size), at);
    else {
      this.#bytes.set(bytes, at);
      this.#bytes.fill(0, at + bytes.length, at + size);
    }
    return this;
  }

  zeros(count: number): this {
    const at = this.#take(count);
    this.#bytes.fill(0, at, at + count);
    return this;
  }

  /** Overwrites a 16-bit field written before, for lengths and checksums known only at the end. */
  patch16(offset: number, value: number): this {
    this.#view.setUint16(offset, value, this.#littleEndian);
    return this;
  }

  /** Overwrites a 32-bit field written before. */
  patch32(offset: number, value: number): this {
    this.#view.setUint32(offset, value, this.#littleEndian);
    return this;
  }

  /** What was written since `reset()`; aliases the writer's buffer. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #take(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = viewOf(grown);
    }
    this.#length = needed;
    return at;
  }
}

/**
 * Reads a packet field by field. Reading past the end never throws: it gives 0 or empty bytes and clears `ok`, so a
 * decoder checks once, at its end.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  #offset: number;
  #ok = true;

  constructor(bytes: Uint8Array, littleEndian: boolean, offset = 0) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.#littleEndian = littleEndian;
    this.#offset = offset;
  }

  /** False once a read went past the end. */
  get ok(): boolean {
    return this.#ok;
  }

  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : this.#view.getUint8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : this.#view.getUint16(at, this.#littleEndian);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getUint32(at, this.#littleEndian);
  }

  i32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : this.#view.getInt32(at, this.#littleEndian);
  }

  /** Exact up to 2^53 - 1. */
  u64(): number {
    const at = this.#take(8);
    return at < 0 ? 0 : getU64(this.#view, at, this.#littleEndian);
  }

  big64(): bigint {
    const at = this.#take(8);
    return at < 0 ? 0n : this.#view.getBigUint64(at, this.#littleEndian);
  }

  /** The next `count` bytes; aliases the input. */
  raw(count: number): Uint8Array {
    const at = this.#take(count);
    return at < 0 ? this.#bytes.subarray(0, 0) : this.#bytes.subarray(at, at + count);
  }

  skip(count: number): this {
    this.#take(count);
    return this;
  }

  /** All that is left; aliases the input. */
  rest(): Uint8Array {
    return this.raw(this.left);
  }

  #take(count: number): number {
    const at = this.#offset;
    if (count < 0 || at + count > this.#bytes.length) {
      this.#ok = false;
      return -1;
    }
    this.#offset = at + count;
    return at;
  }
}
