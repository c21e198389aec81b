import { viewOf } from '@quorate/kernel';
import type { ByteFile } from '@quorate/scsi';
import { VhdxError } from '../vhdx-error.js';
import { hasSignature, putSignature } from './signature.js';

const SIGNATURE = 'vhdxfile';
const CREATOR_BYTES = 512;

/**
 * File type identifier, at the start of the file. Written once.
 *
 * offset size field
 *      0    8 signature `vhdxfile`
 *      8  512 creator   UTF-16LE, NUL-terminated: for diagnosis only
 *
 * Source: MS-VHDX 2.2.1.
 */
export function encodeFileIdentifier(creator: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + CREATOR_BYTES);
  putSignature(bytes, 0, SIGNATURE);
  const view = viewOf(bytes);
  const length = Math.min(creator.length, CREATOR_BYTES / 2 - 1);
  for (let i = 0; i < length; i++) view.setUint16(8 + 2 * i, creator.charCodeAt(i), true);
  return bytes;
}

/**
 * The creator that the file names.
 *
 * @throws {VhdxError} `not-vhdx` when the signature is another.
 */
export function readFileIdentifier(file: ByteFile): string {
  const bytes = new Uint8Array(8 + CREATOR_BYTES);
  file.read(0, bytes);
  if (!hasSignature(bytes, 0, SIGNATURE)) {
    throw new VhdxError('not-vhdx', 'file type identifier', 0, 'another signature', `"${SIGNATURE}"`);
  }
  const view = viewOf(bytes);
  let creator = '';
  for (let at = 8; at < bytes.length; at += 2) {
    const unit = view.getUint16(at, true);
    if (unit === 0) break;
    creator += String.fromCharCode(unit);
  }
  return creator;
}
