import { asciiBytes, latin1 } from '@quorate/kernel';
import { corrupt } from '../vhdx-error.js';

/** Whether the bytes at `at` are that ASCII text. */
export function hasSignature(bytes: Uint8Array, at: number, signature: string): boolean {
  return latin1(bytes, at, at + signature.length) === signature;
}

/** Writes a signature at the start of a structure. */
export function putSignature(bytes: Uint8Array, at: number, signature: string): void {
  bytes.set(asciiBytes(signature), at);
}

/** @throws {VhdxError} when the structure does not start with its signature. */
export function checkSignature(bytes: Uint8Array, signature: string, structure: string, offset: number): void {
  if (hasSignature(bytes, 0, signature)) return;
  throw corrupt(structure, offset, `signature ${quoted(bytes.subarray(0, signature.length))}`, `"${signature}"`);
}

/** Bytes as text that can be printed. */
function quoted(bytes: Uint8Array): string {
  return `"${latin1(bytes).replace(/[^\x20-\x7e]/g, '.')}"`;
}
