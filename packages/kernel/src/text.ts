/** Bytes of an ASCII string; a character above 0x7f becomes `?`. */
export function asciiBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes[i] = code < 0x80 ? code : 0x3f;
  }
  return bytes;
}

/** Text of bytes up to the first NUL, or to the end; each byte is one character (Latin-1). */
export function cString(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = '';
  for (let i = start; i < end && bytes[i] !== 0; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** Text of a fixed field, all of it; each byte is one character (Latin-1). */
export function latin1(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** UTF-8 bytes of a string. A lone surrogate becomes U+FFFD. */
export function utf8Bytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length * 3);
  let n = 0;
  for (const character of text) {
    let code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) bytes[n++] = code;
    else if (code < 0x800) {
      bytes[n++] = 0xc0 | (code >> 6);
      bytes[n++] = 0x80 | (code & 0x3f);
    } else if (code < 0x10000) {
      bytes[n++] = 0xe0 | (code >> 12);
      bytes[n++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[n++] = 0x80 | (code & 0x3f);
    } else {
      bytes[n++] = 0xf0 | (code >> 18);
      bytes[n++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[n++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[n++] = 0x80 | (code & 0x3f);
    }
  }
  return bytes.slice(0, n);
}

/** Text of UTF-8 bytes. Each byte that starts no valid sequence becomes U+FFFD. */
export function utf8Text(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = '';
  let i = start;
  while (i < end) {
    const lead = bytes[i]!;
    const length =
      lead < 0x80
        ? 1
        : lead >= 0xc2 && lead < 0xe0
          ? 2
          : lead >= 0xe0 && lead < 0xf0
            ? 3
            : lead >= 0xf0 && lead < 0xf5
              ? 4
              : 0;
    const code = length === 0 || i + length > end ? -1 : sequence(bytes, i, length);
    text += code < 0 ? '\ufffd' : String.fromCodePoint(code);
    i += code < 0 ? 1 : length;
  }
  return text;
}

/** Code point of the sequence of `length` bytes at `i`, or -1 if it is overlong, a surrogate or broken. */
function sequence(bytes: Uint8Array, i: number, length: number): number {
  const lead = bytes[i]!;
  if (length === 1) return lead;
  let code = lead & (0xff >> (length + 1));
  for (let k = 1; k < length; k++) {
    const next = bytes[i + k]!;
    if ((next & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (next & 0x3f);
  }
  const least = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
  return code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? -1 : code;
}

const HEX = '0123456789abcdef';

/** Lower-case hex of the bytes, without separators. */
export function hex(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = '';
  for (let i = start; i < end; i++) text += HEX[bytes[i]! >> 4]! + HEX[bytes[i]! & 15]!;
  return text;
}

/** @throws {RangeError} when the text is not an even number of hex digits. Blanks are allowed anywhere. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replace(/\s/g, '');
  const bytes = new Uint8Array(digits.length >> 1);
  let areDigits = digits.length % 2 === 0;
  for (let i = 0; areDigits && i < bytes.length; i++) {
    const value = 16 * hexDigit(digits.charCodeAt(2 * i)) + hexDigit(digits.charCodeAt(2 * i + 1));
    bytes[i] = value;
    areDigits = value >= 0;
  }
  if (!areDigits) throw new RangeError(`not hex: ${text.slice(0, 40)}`);
  return bytes;
}

/** What a digit stands for; so far below 0 that another digit does not make up for it when it is none. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -256;
}
