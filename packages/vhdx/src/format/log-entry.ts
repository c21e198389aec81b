import { getU64, setU64, viewOf } from '@quorate/kernel';
import { type Guid, readGuid, writeGuid } from '../guid.js';
import { hasRightChecksum, seal } from './checksum.js';
import { hasSignature, putSignature } from './signature.js';

/** The log is a ring of sectors of this size, and so is every update. */
export const LOG_SECTOR_BYTES = 4096;

const HEADER_BYTES = 64;
const DESCRIPTOR_BYTES = 32;

/** A change of the file that a log entry carries: bytes of one sector, or zeros. */
export type LogUpdate =
  | { readonly kind: 'data'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'zero'; readonly offset: number; readonly length: number };

/**
 * Log entry: descriptor sectors, then data sectors, of 4096 bytes each. Little-endian.
 *
 * offset size field of the header
 *      0    4 signature           `loge`
 *      4    4 checksum            CRC-32C over the whole entry
 *      8    4 entry length        a multiple of 4096
 *     12    4 tail                where in the log the oldest entry stands that is still needed
 *     16    8 sequence number     one more with each entry, from 1
 *     24    4 descriptor count
 *     32   16 log GUID            of the header that was current when the entry was written
 *     48    8 flushed file offset the file is at least that long
 *     56    8 last file offset    all structures end before that
 *     64      descriptors of 32 bytes
 *
 * data descriptor:  0 `desc`, 4 last 4 bytes, 8 first 8 bytes, 16 file offset, 24 sequence number
 * zero descriptor:  0 `zero`, 8 length,                        16 file offset, 24 sequence number
 * data sector:      0 `data`, 4 sequence number, high half, 8 bytes 8 to 4091, 4092 sequence number, low half
 *
 * Source: MS-VHDX 2.3.1.
 */
export interface LogEntryHeader {
  /** In bytes. */
  readonly length: number;
  /** In bytes from the start of the log. */
  readonly tail: number;
  /** 64 bits. */
  readonly sequence: bigint;
  readonly descriptors: number;
  readonly logGuid: Guid;
  readonly flushedFileOffset: number;
  readonly lastFileOffset: number;
}

/** What is in an entry besides its updates. */
export type LogEntryFields = Pick<
  LogEntryHeader,
  'tail' | 'sequence' | 'logGuid' | 'flushedFileOffset' | 'lastFileOffset'
>;

function descriptorSectors(descriptors: number): number {
  return Math.ceil((HEADER_BYTES + descriptors * DESCRIPTOR_BYTES) / LOG_SECTOR_BYTES);
}

/** Length in bytes of an entry with that many data descriptors. */
export function logEntryLength(updates: number): number {
  return (descriptorSectors(updates) + updates) * LOG_SECTOR_BYTES;
}

/** An entry that carries whole sectors. Offsets are multiples of 4096. */
export function encodeLogEntry(
  fields: LogEntryFields,
  updates: readonly { readonly offset: number; readonly bytes: Uint8Array }[],
): Uint8Array<ArrayBuffer> {
  const entry = new Uint8Array(logEntryLength(updates.length));
  const view = viewOf(entry);
  putSignature(entry, 0, 'loge');
  view.setUint32(8, entry.length, true);
  view.setUint32(12, fields.tail, true);
  view.setBigUint64(16, fields.sequence, true);
  view.setUint32(24, updates.length, true);
  writeGuid(entry, 32, fields.logGuid);
  setU64(view, 48, fields.flushedFileOffset, true);
  setU64(view, 56, fields.lastFileOffset, true);
  const firstData = descriptorSectors(updates.length);
  updates.forEach(({ offset, bytes }, i) => {
    const descriptor = HEADER_BYTES + i * DESCRIPTOR_BYTES;
    putSignature(entry, descriptor, 'desc');
    entry.set(bytes.subarray(LOG_SECTOR_BYTES - 4), descriptor + 4);
    entry.set(bytes.subarray(0, 8), descriptor + 8);
    setU64(view, descriptor + 16, offset, true);
    view.setBigUint64(descriptor + 24, fields.sequence, true);
    const sector = (firstData + i) * LOG_SECTOR_BYTES;
    entry.set(bytes, sector);
    putSignature(entry, sector, 'data');
    view.setUint32(sector + 4, Number(fields.sequence >> 32n), true);
    view.setUint32(sector + LOG_SECTOR_BYTES - 4, Number(fields.sequence & 0xffff_ffffn), true);
  });
  seal(entry);
  return entry;
}

/** The header of an entry that may stand at `at`; undefined when none does, or one that no log of that length holds. */
export function decodeLogEntryHeader(bytes: Uint8Array, at: number, logLength: number): LogEntryHeader | undefined {
  if (!hasSignature(bytes, at, 'loge')) return undefined;
  const view = viewOf(bytes);
  const header = {
    length: view.getUint32(at + 8, true),
    tail: view.getUint32(at + 12, true),
    sequence: view.getBigUint64(at + 16, true),
    descriptors: view.getUint32(at + 24, true),
    logGuid: readGuid(bytes, at + 32),
    flushedFileOffset: getU64(view, at + 48, true),
    lastFileOffset: getU64(view, at + 56, true),
  };
  const isLength = header.length > 0 && header.length % LOG_SECTOR_BYTES === 0 && header.length <= logLength;
  const isTail = header.tail % LOG_SECTOR_BYTES === 0 && header.tail < logLength;
  const fits = descriptorSectors(header.descriptors) * LOG_SECTOR_BYTES <= header.length;
  return isLength && isTail && fits && header.sequence > 0n ? header : undefined;
}

/**
 * The updates of a whole entry; undefined when any of it is not as it was written. Copies what it returns.
 *
 * Sequence numbers are compared before the checksum, so a header that stands within another entry's data costs nothing.
 */
export function decodeLogUpdates(entry: Uint8Array, header: LogEntryHeader): LogUpdate[] | undefined {
  const view = viewOf(entry);
  const updates: LogUpdate[] = [];
  let sector = descriptorSectors(header.descriptors) * LOG_SECTOR_BYTES;
  for (let i = 0; i < header.descriptors; i++) {
    const at = HEADER_BYTES + i * DESCRIPTOR_BYTES;
    if (view.getBigUint64(at + 24, true) !== header.sequence) return undefined;
    const offset = getU64(view, at + 16, true);
    if (offset % LOG_SECTOR_BYTES !== 0) return undefined;
    if (hasSignature(entry, at, 'zero')) {
      const length = getU64(view, at + 8, true);
      if (length % LOG_SECTOR_BYTES !== 0) return undefined;
      updates.push({ kind: 'zero', offset, length });
    } else if (hasSignature(entry, at, 'desc')) {
      if (!isDataSector(entry, view, sector, header.sequence)) return undefined;
      const bytes = entry.slice(sector, sector + LOG_SECTOR_BYTES);
      bytes.set(entry.subarray(at + 8, at + 16));
      bytes.set(entry.subarray(at + 4, at + 8), LOG_SECTOR_BYTES - 4);
      updates.push({ kind: 'data', offset, bytes });
      sector += LOG_SECTOR_BYTES;
    } else {
      return undefined;
    }
  }
  return sector === entry.length && hasRightChecksum(entry) ? updates : undefined;
}

function isDataSector(entry: Uint8Array, view: DataView, at: number, sequence: bigint): boolean {
  if (at + LOG_SECTOR_BYTES > entry.length || !hasSignature(entry, at, 'data')) return false;
  const high = BigInt(view.getUint32(at + 4, true));
  const low = BigInt(view.getUint32(at + LOG_SECTOR_BYTES - 4, true));
  return (high << 32n) + low === sequence;
}
