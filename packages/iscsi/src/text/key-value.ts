import { cString, utf8Bytes } from '@quorate/kernel';

/** A text with more than this is refused before it is put together. */
const MAX_TEXT_BYTES = 16 * 1024;

/** Keys with their values, in the order in which they came. */
export type KeyValues = readonly (readonly [key: string, value: string])[];

/**
 * Reads `key=value` pairs, each ended by NUL. Undefined when one has no `=`, an empty key, or one longer than 63
 * characters. Keys and values are taken as they stand, case and blanks included.
 *
 * Source: RFC 7143, 6.1 "Text format".
 */
export function decodeText(bytes: Uint8Array): KeyValues | undefined {
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at < bytes.length; ) {
    const pair = cString(bytes, at);
    at += pair.length + 1;
    // Some initiators pad the data segment with NULs and count them in its length.
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    if (equals < 1 || equals > 63) return undefined;
    pairs.push([pair.slice(0, equals), pair.slice(equals + 1)]);
  }
  return pairs;
}

export function encodeText(pairs: KeyValues): Uint8Array<ArrayBuffer> {
  return utf8Bytes(pairs.map(([key, value]) => `${key}=${value}\0`).join(''));
}

/** Text that arrives in several PDUs, each but the last with the C bit. */
export class TextBuffer {
  #parts: Uint8Array[] = [];
  #length = 0;

  /** Adds a part; false when there is too much of it. */
  add(part: Uint8Array): boolean {
    this.#length += part.length;
    if (this.#length > MAX_TEXT_BYTES) return false;
    if (part.length > 0) this.#parts.push(part.slice());
    return true;
  }

  /** All of it, and begins anew. */
  take(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#length = 0;
    return all;
  }
}
