import { DIGEST_BYTES, isDigestRight } from './digest.js';
import { HEADER_BYTES, Pdu } from './pdu.js';

/** Why a stream cannot be read on. */
export type FramingError = 'data-segment-too-long' | 'bad-header-digest';

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * Cuts a stream of bytes into PDUs, whatever the chunks are.
 *
 * A PDU that lies whole in a chunk is read in place. One that does not is put together in a buffer that grows to the
 * largest PDU seen, at most `maxDataSegmentLength` and a header. `feed` a chunk, call `next` until it says `more`, then
 * `keep`, after which the chunk is not looked at any more.
 */
export class PduReader {
  readonly pdu: Pdu = new Pdu();
  hasHeaderDigest = false;
  hasDataDigest = false;
  readonly #maxDataSegmentLength: number;
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  #partial = new Uint8Array(HEADER_BYTES);
  #partialLength = 0;
  /** The header of the PDU in `#partial` was checked; so many bytes it has in all. */
  #total = 0;

  constructor(maxDataSegmentLength: number) {
    this.#maxDataSegmentLength = maxDataSegmentLength;
  }

  /** Bytes that are kept from one chunk to the next. */
  get buffered(): number {
    return this.#partialLength + this.#chunk.length - this.#at;
  }

  feed(bytes: Uint8Array): void {
    if (this.#at === this.#chunk.length) {
      this.#chunk = bytes;
    } else {
      const left = this.#chunk.length - this.#at;
      const joined = new Uint8Array(left + bytes.length);
      joined.set(this.#chunk.subarray(this.#at));
      joined.set(bytes, left);
      this.#chunk = joined;
    }
    this.#at = 0;
  }

  /** Reads the next PDU into `pdu`; `more` when there is none yet. After an error the stream is of no use. */
  next(): 'pdu' | 'more' | FramingError {
    return this.#partialLength > 0 ? this.#nextFromPartial() : this.#nextInPlace();
  }

  /** Copies what was fed and not read: the chunk was lent. */
  keep(): void {
    this.#chunk = this.#at === this.#chunk.length ? NOTHING : this.#chunk.slice(this.#at);
    this.#at = 0;
  }

  #nextInPlace(): 'pdu' | 'more' | FramingError {
    const bytes = this.#chunk;
    const left = bytes.length - this.#at;
    if (left === 0) return 'more';
    if (left < HEADER_BYTES || left < this.#headerBytes(bytes, this.#at)) return this.#take(left);
    const error = this.#checkHeader(bytes, this.#at);
    if (error !== undefined) return error;
    const total = this.#totalBytes(bytes, this.#at);
    if (left < total) {
      this.#total = total;
      return this.#take(left);
    }
    this.#aim(bytes, this.#at);
    this.#at += total;
    return 'pdu';
  }

  #nextFromPartial(): 'pdu' | 'more' | FramingError {
    if (this.#total === 0) {
      if (!this.#fill(HEADER_BYTES) || !this.#fill(this.#headerBytes(this.#partial, 0))) return 'more';
      const error = this.#checkHeader(this.#partial, 0);
      if (error !== undefined) return error;
      this.#total = this.#totalBytes(this.#partial, 0);
    }
    if (!this.#fill(this.#total)) return 'more';
    this.#aim(this.#partial, 0);
    this.#partialLength = 0;
    this.#total = 0;
    return 'pdu';
  }

  /** Takes the rest of the chunk as the beginning of a PDU. */
  #take(left: number): 'more' {
    this.#fill(this.#total === 0 ? left : this.#total);
    return 'more';
  }

  /** Fills `#partial` up to `length` bytes from the chunk; whether there were so many. */
  #fill(length: number): boolean {
    const missing = length - this.#partialLength;
    if (missing <= 0) return true;
    if (length > this.#partial.length) {
      const grown = new Uint8Array(length);
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
    }
    const count = Math.min(missing, this.#chunk.length - this.#at);
    this.#partial.set(this.#chunk.subarray(this.#at, this.#at + count), this.#partialLength);
    this.#partialLength += count;
    this.#at += count;
    return count === missing;
  }

  #headerBytes(bytes: Uint8Array, at: number): number {
    return HEADER_BYTES + 4 * bytes[at + 4]! + (this.hasHeaderDigest ? DIGEST_BYTES : 0);
  }

  #checkHeader(bytes: Uint8Array, at: number): FramingError | undefined {
    if (this.hasHeaderDigest && !isDigestRight(bytes, at, at + HEADER_BYTES + 4 * bytes[at + 4]!)) {
      return 'bad-header-digest';
    }
    return dataSegmentLength(bytes, at) > this.#maxDataSegmentLength ? 'data-segment-too-long' : undefined;
  }

  #totalBytes(bytes: Uint8Array, at: number): number {
    const padded = (dataSegmentLength(bytes, at) + 3) & ~3;
    return this.#headerBytes(bytes, at) + padded + (padded > 0 && this.hasDataDigest ? DIGEST_BYTES : 0);
  }

  #aim(bytes: Uint8Array, at: number): void {
    const dataAt = at + this.#headerBytes(bytes, at);
    const length = dataSegmentLength(bytes, at);
    this.pdu.aim(bytes, at, dataAt, length);
    if (!this.hasDataDigest || length === 0) return;
    this.pdu.hasBadDataDigest = !isDigestRight(bytes, dataAt, dataAt + ((length + 3) & ~3));
  }
}

function dataSegmentLength(bytes: Uint8Array, at: number): number {
  return (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!;
}
