import { crc32c } from '@quorate/kernel';
import { DIGEST_BYTES, putDigest } from './digest.js';
import { HEADER_BYTES, lunField } from './pdu.js';

/** Data of at least so many bytes is not copied: it is handed on where it lies. */
const LARGE_BYTES = 8 * 1024;

const SCRATCH_BYTES = 64 * 1024;

/**
 * Writes PDUs one after the other and hands out their bytes in as few pieces as it can, all of them lent.
 *
 * `begin` a PDU, `put` its fields, and `end` it with its data segment; padding and digests are added.
 */
export class PduWriter {
  hasHeaderDigest = false;
  hasDataDigest = false;
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  #length = 0;
  /** Where the PDU at hand begins. */
  #at = 0;
  #send: (bytes: Uint8Array) => void = () => {};

  /** From now on bytes go there. What is written and not yet handed out belongs to the one before: `flush` first. */
  sendTo(send: (bytes: Uint8Array) => void): void {
    this.#send = send;
  }

  /** Begins a PDU whose header is 0 but for these two bytes. */
  begin(opcode: number, flags: number): this {
    if (this.#length + HEADER_BYTES + LARGE_BYTES + 16 > SCRATCH_BYTES) this.flush();
    this.#at = this.#length;
    this.#length += HEADER_BYTES;
    this.#scratch.fill(0, this.#at, this.#length);
    this.#scratch[this.#at] = opcode;
    this.#scratch[this.#at + 1] = flags;
    return this;
  }

  u8(offset: number, value: number): this {
    this.#scratch[this.#at + offset] = value;
    return this;
  }

  u16(offset: number, value: number): this {
    const at = this.#at + offset;
    this.#scratch[at] = value >>> 8;
    this.#scratch[at + 1] = value;
    return this;
  }

  u32(offset: number, value: number): this {
    const at = this.#at + offset;
    this.#scratch[at] = value >>> 24;
    this.#scratch[at + 1] = value >>> 16;
    this.#scratch[at + 2] = value >>> 8;
    this.#scratch[at + 3] = value;
    return this;
  }

  raw(offset: number, bytes: Uint8Array): this {
    this.#scratch.set(bytes, this.#at + offset);
    return this;
  }

  lun(lun: number): this {
    return this.u16(8, lunField(lun));
  }

  /** The header of the PDU at hand; aliases the scratch buffer. */
  header(): Uint8Array {
    return this.#scratch.subarray(this.#at, this.#at + HEADER_BYTES);
  }

  /** Ends the PDU with its data segment, of at most 2^24 - 1 bytes. */
  end(data?: Uint8Array): void {
    const length = data === undefined ? 0 : data.length;
    if (length > 0) {
      this.u8(5, length >>> 16);
      this.u16(6, length & 0xffff);
    }
    if (this.hasHeaderDigest) {
      putDigest(this.#scratch, this.#at, this.#length, this.#scratch, this.#length);
      this.#length += DIGEST_BYTES;
    }
    if (data === undefined || length === 0) return;
    if (length < LARGE_BYTES) this.#copy(data);
    else this.#hand(data);
  }

  /** Hands out what is still here. */
  flush(): void {
    if (this.#length === 0) return;
    const bytes = this.#scratch.subarray(0, this.#length);
    this.#length = 0;
    this.#send(bytes);
  }

  #copy(data: Uint8Array): void {
    const start = this.#length;
    this.#scratch.set(data, start);
    this.#length += data.length;
    while (this.#length - start < ((data.length + 3) & ~3)) this.#scratch[this.#length++] = 0;
    if (!this.hasDataDigest) return;
    putDigest(this.#scratch, start, this.#length, this.#scratch, this.#length);
    this.#length += DIGEST_BYTES;
  }

  #hand(data: Uint8Array): void {
    this.flush();
    this.#send(data);
    const padding = -data.length & 3;
    for (let i = 0; i < padding; i++) this.#scratch[this.#length++] = 0;
    if (!this.hasDataDigest) return;
    const crc = padding === 0 ? crc32c(data) : digestOfPadded(data, padding);
    for (let shift = 0; shift < 32; shift += 8) this.#scratch[this.#length++] = crc >>> shift;
  }
}

function digestOfPadded(data: Uint8Array, padding: number): number {
  const padded = new Uint8Array(data.length + padding);
  padded.set(data);
  return crc32c(padded);
}
