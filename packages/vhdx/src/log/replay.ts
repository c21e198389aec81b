import type { ByteFile } from '@quorate/scsi';
import type { Header } from '../format/header.js';
import type { LogUpdate } from '../format/log-entry.js';
import { REGION_TABLE_OFFSETS } from '../format/region-table.js';
import { MAX_FILE_BYTES } from '../units.js';
import { corrupt } from '../vhdx-error.js';
import { writeZeros } from '../zeros.js';
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
  // What the file is extended by is zero already, however long a stretch of zeros an entry asks for.
  let written = file.size;
  if (file.size < end) file.resize(end);
  for (const { updates } of entries) {
    for (const update of updates) {
      if (update.kind === 'zero') {
        writeZeros(file, update.offset, Math.min(update.length, written - update.offset));
      } else {
        file.write(update.offset, update.bytes);
        written = Math.max(written, update.offset + update.bytes.length);
      }
    }
  }
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

function lengthOf(update: LogUpdate): number {
  return update.kind === 'data' ? update.bytes.length : update.length;
}
