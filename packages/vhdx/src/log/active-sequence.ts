import type { ByteFile } from '@quorate/scsi';
import type { Header } from '../format/header.js';
import {
  decodeLogEntryHeader,
  decodeLogUpdates,
  LOG_SECTOR_BYTES,
  type LogEntryHeader,
  type LogUpdate,
} from '../format/log-entry.js';
import type { Guid } from '../guid.js';
import { MIB } from '../units.js';
import { corrupt } from '../vhdx-error.js';
import { LogRing } from './ring.js';

/** An entry is read as a whole: a longer one is taken for none. Entries that are known have at most 1 MiB. */
const MAX_ENTRY_BYTES = 64 * MIB;

export interface LogEntry extends LogEntryHeader {
  /** In bytes from the start of the log. */
  readonly position: number;
  readonly updates: readonly LogUpdate[];
}

/**
 * The entries that must be replayed, oldest first: those from the tail to the head of the newest valid sequence.
 *
 * Source: MS-VHDX 2.3.2, 2.3.3. Looks from the newest entry back instead of from every place forward: each sequence has
 * one head, and that names its tail.
 *
 * @throws {VhdxError} when the log holds no valid sequence.
 */
export function activeSequence(file: ByteFile, { logGuid, logOffset, logLength }: Header): readonly LogEntry[] {
  const ring = new LogRing(file, logOffset, logLength);
  const headers = headersIn(ring, logGuid);
  const newestFirst = [...headers.values()].sort((a, b) => (a.sequence > b.sequence ? -1 : 1));
  for (const head of newestFirst) {
    const sequence = sequenceOf(head, headers, ring);
    if (sequence !== undefined) return sequence;
  }
  throw corrupt('log', logOffset, 'no valid sequence of entries', `one of log ${logGuid}`);
}

interface PlacedHeader extends LogEntryHeader {
  readonly position: number;
}

/** What may be an entry of this log, by position. */
function headersIn(ring: LogRing, logGuid: Guid): Map<number, PlacedHeader> {
  const headers = new Map<number, PlacedHeader>();
  const piece = new Uint8Array(MIB);
  for (let start = 0; start < ring.length; start += MIB) {
    ring.read(start, piece);
    for (let at = 0; at < MIB; at += LOG_SECTOR_BYTES) {
      const header = decodeLogEntryHeader(piece, at, Math.min(ring.length, MAX_ENTRY_BYTES));
      if (header?.logGuid === logGuid) headers.set(start + at, { ...header, position: start + at });
    }
  }
  return headers;
}

/** The entries from the tail that `head` names up to it, if all are valid and follow each other. */
function sequenceOf(
  head: PlacedHeader,
  headers: ReadonlyMap<number, PlacedHeader>,
  ring: LogRing,
): LogEntry[] | undefined {
  const newest = wholeEntry(head, ring);
  if (newest === undefined) return undefined;
  const entries: LogEntry[] = [];
  let position = head.tail;
  while (position !== head.position) {
    const header = headers.get(position);
    const expected = entries.at(-1)?.sequence ?? header?.sequence ?? 0n;
    if (header === undefined || header.sequence !== expected + (entries.length === 0 ? 0n : 1n)) return undefined;
    if (header.sequence >= head.sequence) return undefined;
    const entry = wholeEntry(header, ring);
    if (entry === undefined) return undefined;
    entries.push(entry);
    position = ring.after(position, header.length);
  }
  const last = entries.at(-1);
  return last === undefined || last.sequence + 1n === head.sequence ? [...entries, newest] : undefined;
}

function wholeEntry(header: PlacedHeader, ring: LogRing): LogEntry | undefined {
  const bytes = new Uint8Array(header.length);
  ring.read(header.position, bytes);
  const updates = decodeLogUpdates(bytes, header);
  return updates === undefined ? undefined : { ...header, updates };
}
