import { type ByteFile, StoreError } from '@quorate/scsi';
import type { BlockMap } from './block-map.js';
import type { Note } from './facts.js';
import { LOG_SECTOR_BYTES } from './format/log-entry.js';
import { newGuid, type RandomBytes } from './guid.js';
import type { HeaderPair } from './header-pair.js';
import type { Layout } from './layout.js';
import { type LogWriter, MAX_UPDATES } from './log/log-writer.js';
import type { RoomMap } from './room-map.js';
import { MIB, mibOf } from './units.js';

/** An open image. */
export interface ImageState {
  readonly file: ByteFile;
  readonly creator: string;
  readonly headers: HeaderPair;
  layout: Layout;
  map: BlockMap;
  readonly rooms: RoomMap;
  /** Absent when the image is read only or closed. */
  writing?: WritingState;
}

/** What writing an image takes. */
export interface WritingState {
  readonly log: LogWriter;
  readonly random: RandomBytes;
  readonly note: Note | undefined;
  /** From this MiB on the file has not been written: what lies there is zero. Known once the image has been written. */
  freshFrom: number;
  /** Room of blocks that gave it back: taken until no crash can bring the old BAT entry back. */
  readonly freed: { readonly mib: number; readonly count: number }[];
  /** Whether anything was written since the image was opened. */
  isTouched: boolean;
  /** Whether anything was written since the last flush. */
  isDirty: boolean;
  /** Why nothing more can be written: a flush failed, and what the host has of the file is not known. */
  failure?: unknown;
}

export function newWriting(log: LogWriter, random: RandomBytes, note?: Note): WritingState {
  return { log, random, note, freshFrom: 0, freed: [], isTouched: false, isDirty: false };
}

/**
 * What is needed to write; before the first write the headers tell other programs that the file changes.
 *
 * `offset` is for the error, in bytes from the start of the store.
 *
 * @throws {StoreError} `unwritable` when the image is read only or closed, or an earlier flush failed.
 */
export function beginWrite(state: ImageState, offset: number): WritingState {
  const { writing } = state;
  if (writing === undefined) throw new StoreError('unwritable', offset, 'the image is not open for writing');
  if (writing.failure !== undefined) {
    throw new StoreError('unwritable', offset, 'an earlier flush failed', { cause: writing.failure });
  }
  if (!writing.isTouched) durably(writing, () => touch(state, writing));
  writing.isDirty = true;
  return writing;
}

function touch({ file, headers, layout, rooms }: ImageState, writing: WritingState): void {
  headers.update({ fileWriteGuid: newGuid(writing.random), dataWriteGuid: newGuid(writing.random) });
  // Behind the last structure a crash may have left bytes of blocks that it forgot. A fixed image keeps its room.
  if (!layout.metadata.isFixed || file.size < rooms.end * MIB) file.resize(rooms.end * MIB);
  writing.freshFrom = mibOf(file.size);
  writing.isTouched = true;
}

/** Makes everything written so far durable: payload first, then the BAT entries that point to it, by way of the log. */
export function flushImage({ file, layout, map, rooms }: ImageState, writing: WritingState): void {
  durably(writing, () => {
    file.flush();
    saveMap(file, writing.log, map, layout.bat.offset);
  });
  writing.isDirty = false;
  for (const { mib, count } of writing.freed) rooms.release(mib, count);
  writing.freed.length = 0;
}

/** Logs the changed sectors of the BAT and writes them. The file has been flushed since the last commit. */
export function saveMap(file: ByteFile, log: LogWriter, map: BlockMap, batOffset: number): void {
  const changed = map.changedSectors();
  for (let i = 0; i < changed.length; i += MAX_UPDATES) {
    if (i > 0) file.flush();
    const sectors = changed.slice(i, i + MAX_UPDATES);
    log.commit(
      sectors.map((sector) => ({ offset: batOffset + sector * LOG_SECTOR_BYTES, bytes: map.encodeSector(sector) })),
    );
    map.markSaved(sectors);
  }
}

/** Runs what flushes; if it fails, nothing more is written. */
export function durably(writing: WritingState, run: () => void): void {
  try {
    run();
  } catch (error) {
    writing.failure = error;
    throw error;
  }
}
