import { asciiBytes, concatBytes, crc32 } from '@quorate/kernel';

/**
 * Bob Jenkins' lookup3 over a name, initial value 0; an unsigned 32-bit number. `name`: its characters (Latin-1), or bytes in
 * which it stands.
 *
 * Source: Linux include/linux/jhash.h, `jhash`, as fs/dlm uses it.
 */
export function jhash(name: string | Uint8Array, from = 0, end: number = name.length): number {
  let left = end - from;
  let a = (0xdeadbeef + left) | 0;
  let b = a;
  let c = a;
  let at = from;
  while (left > 12) {
    a = (a + word(name, at, 4)) | 0;
    b = (b + word(name, at + 4, 4)) | 0;
    c = (c + word(name, at + 8, 4)) | 0;
    a = (a - c) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rotate(b, 4);
    b = (b + a) | 0;
    at += 12;
    left -= 12;
  }
  if (left === 0) return c >>> 0;
  a = (a + word(name, at, left)) | 0;
  b = (b + word(name, at + 4, left - 4)) | 0;
  c = (c + word(name, at + 8, left - 8)) | 0;
  c = (c ^ b) - rotate(b, 14);
  a = (a ^ c) - rotate(c, 11);
  b = (b ^ a) - rotate(a, 25);
  c = (c ^ b) - rotate(b, 16);
  a = (a ^ c) - rotate(c, 4);
  b = (b ^ a) - rotate(a, 14);
  c = (c ^ b) - rotate(b, 24);
  return c >>> 0;
}

/** Up to four characters as a little-endian word; 0 if `count` is not positive. */
function word(name: string | Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = Math.min(count, 4) - 1; i >= 0; i--) {
    value = (value << 8) | (typeof name === 'string' ? name.charCodeAt(at + i) : name[at + i]!);
  }
  return value;
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** Number that stands for a lockspace in every packet: CRC-32 of `dlm:ls:`, its name and one NUL. */
export function lockspaceGlobalId(name: string): number {
  return crc32(concatBytes(asciiBytes(`dlm:ls:${name}`), new Uint8Array(1)));
}
