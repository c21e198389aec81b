import type { ByteFile } from '@quorate/scsi';
import type { Header } from '../format/header.js';
import type { LogUpdate } from '../format/log-entry.js';
import { REGION_TABLE_OFFSETS } from '../format/region-table.js';
import { MAX_FILE_BYTES, MIB } from '../units.js';
import { corrupt } from '../vhdx-error.js';
import type { LogEntry } from './active-sequence.js';

/**
 * Carries out what a log says, oldest entry first, and makes the file as long as its structures need.
 *
 * Source: MS-VHDX 2.3.3. Everything is checked before the first byte is written. The caller flushes.
 *
 * @throws {VhdxError} when the file is shorter than it was, or an update would touch what no log may touch: the file type
 * identifier, the headers, the log itself, or what is beyond the end of all structures.
 */
export function replay(file: ByteFile, header: Header, entries: readonly LogEntry[]): void {
  const head = entries.at(-1)!;
  const at = header.logOffset + head.position;
  if (file.size < head.flushedFileOffset) {
    throw corrupt('file', file.size, `${file.size} bytes`, `at least ${head.flushedFileOffset}, as the log says`);
  }
  if (head.lastFileOffset > MAX_FILE_BYTES) {
    throw corrupt('log entry', at + 56, `last file offset ${head.lastFileOffset}`, `at most ${MAX_FILE_BYTES}`);
  }
  const end = Math.max(file.size, head.lastFileOffset);
  for (const entry of entries) {
    for (const update of entry.updates) checkUpdate(update, header, header.logOffset + entry.position, end);
  }
  if (file.size < end) file.resize(end);
  for (const { updates } of entries) for (const update of updates) apply(file, update);
}

export function lengthOf(update: LogUpdate): number {
  return update.kind === 'data' ? update.bytes.length : update.length;
}

function checkUpdate(update: LogUpdate, header: Header, at: number, fileEnd: number): void {
  const { offset } = update;
  const end = offset + lengthOf(update);
  const isInLog = offset < header.logOffset + header.logLength && end > header.logOffset;
  if (offset >= REGION_TABLE_OFFSETS[0] && end <= fileEnd && !isInLog) return;
  throw corrupt(
    'log entry',
    at,
    `an update of bytes ${offset} to ${end}`,
    `one from ${REGION_TABLE_OFFSETS[0]} to ${fileEnd}, outside the log`,
  );
}

function apply(file: ByteFile, update: LogUpdate): void {
  if (update.kind === 'data') file.write(update.offset, update.bytes);
  else writeZeros(file, update.offset, update.length);
}

const ZEROS = new Uint8Array(MIB);

/** Writes zeros, a MiB at a time. */
export function writeZeros(file: ByteFile, offset: number, length: number): void {
  for (let done = 0; done < length; done += MIB) {
    const piece = Math.min(MIB, length - done);
    file.write(offset + done, piece === MIB ? ZEROS : ZEROS.subarray(0, piece));
  }
}
