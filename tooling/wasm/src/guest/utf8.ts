import { utf8Bytes, utf8Text } from '@quorate/kernel';

// In a program these stand for the globals of the same names, which ECMAScript does not have and MessagePack asks for.

export class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer> {
    return utf8Bytes(text);
  }

  /** MessagePack has made room for all of it. */
  encodeInto(text: string, into: Uint8Array): void {
    into.set(utf8Bytes(text));
  }
}

export class TextDecoder {
  decode(bytes: Uint8Array): string {
    return utf8Text(bytes);
  }
}
