import { getU64, setU64, viewOf } from '@quorate/kernel';
import { type Guid, readGuid, writeGuid } from '../guid.js';
import { MIB } from '../units.js';
import { corrupt, VhdxError } from '../vhdx-error.js';
import { checkChecksum, seal } from './checksum.js';
import { checkSignature, putSignature } from './signature.js';

const SIGNATURE = 'head';

/** What a header takes; the 64 KiB around it are reserved. */
export const HEADER_BYTES = 4096;

/** Where the two copies stand. */
export const HEADER_OFFSETS: readonly [number, number] = [64 * 1024, 128 * 1024];

/**
 * Header, 4096 bytes. Little-endian. There are two; the valid one with the higher sequence number is current.
 *
 * offset size field
 *      0    4 signature       `head`
 *      4    4 checksum        CRC-32C over the 4096 bytes
 *      8    8 sequence number
 *     16   16 file write GUID  changes before the first write after each open
 *     32   16 data write GUID  changes before the first change of what the disk's user sees
 *     48   16 log GUID         nil: the log is empty
 *     64    2 log version      0
 *     66    2 version          1
 *     68    4 log length       a multiple of 1 MiB
 *     72    8 log offset       a multiple of 1 MiB
 *
 * Source: MS-VHDX 2.2.2.
 */
export interface Header {
  /** 64 bits. */
  readonly sequence: bigint;
  readonly fileWriteGuid: Guid;
  readonly dataWriteGuid: Guid;
  readonly logGuid: Guid;
  /** In bytes. */
  readonly logLength: number;
  readonly logOffset: number;
}

export function encodeHeader(header: Header): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = viewOf(bytes);
  putSignature(bytes, 0, SIGNATURE);
  view.setBigUint64(8, header.sequence, true);
  writeGuid(bytes, 16, header.fileWriteGuid);
  writeGuid(bytes, 32, header.dataWriteGuid);
  writeGuid(bytes, 48, header.logGuid);
  view.setUint16(66, 1, true);
  view.setUint32(68, header.logLength, true);
  setU64(view, 72, header.logOffset, true);
  seal(bytes);
  return bytes;
}

/**
 * Reads one copy. The result keeps nothing of `bytes`.
 *
 * @throws {VhdxError} when signature, checksum, a version or the place of the log is not as it should be.
 */
export function decodeHeader(bytes: Uint8Array, structure: string, offset: number): Header {
  checkSignature(bytes, SIGNATURE, structure, offset);
  checkChecksum(bytes, structure, offset);
  const view = viewOf(bytes);
  const version = view.getUint16(66, true);
  const logVersion = view.getUint16(64, true);
  if (version !== 1) throw new VhdxError('unsupported', structure, offset + 66, `version ${version}`, '1');
  if (logVersion !== 0) throw new VhdxError('unsupported', structure, offset + 64, `log version ${logVersion}`, '0');
  const logLength = view.getUint32(68, true);
  const logOffset = getU64(view, 72, true);
  if (logLength === 0 || logLength % MIB !== 0) {
    throw corrupt(structure, offset + 68, `log length ${logLength}`, 'a multiple of 1 MiB');
  }
  if (logOffset < MIB || logOffset % MIB !== 0) {
    throw corrupt(structure, offset + 72, `log offset ${logOffset}`, 'a multiple of 1 MiB, at least 1 MiB');
  }
  return {
    sequence: view.getBigUint64(8, true),
    fileWriteGuid: readGuid(bytes, 16),
    dataWriteGuid: readGuid(bytes, 32),
    logGuid: readGuid(bytes, 48),
    logLength,
    logOffset,
  };
}
