import { assert } from '@quorate/kernel';
import type { ByteFile } from '@quorate/scsi';
import type { Note } from '../facts.js';
import { encodeLogEntry, logEntryLength } from '../format/log-entry.js';
import { NIL_GUID, newGuid, type RandomBytes } from '../guid.js';
import type { HeaderPair } from '../header-pair.js';
import { MIB, mibOf } from '../units.js';
import { LogRing } from './ring.js';

/** Sectors that one entry can change: their descriptors fill one sector, and the entry takes less than half a MiB. */
export const MAX_UPDATES = 126;

/** A sector of the file and what shall stand there; `offset` is a multiple of 4096. */
export interface SectorUpdate {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Changes metadata so that a crash leaves all of a change or none of it.
 *
 * Every entry is a sequence of its own (its tail is itself): before the next one is written, the caller has flushed what
 * the last one changed in place. An entry takes less than half of the ring, so the last one is whole until the next is durable.
 *
 * Source: MS-VHDX 2.3.
 */
export class LogWriter {
  readonly #file: ByteFile;
  readonly #headers: HeaderPair;
  readonly #ring: LogRing;
  readonly #random: RandomBytes;
  readonly #note: Note | undefined;
  #position = 0;
  #sequence = 1n;
  /** Names the entries of this writer, in the file's header once the first of them is durable. */
  #logGuid = NIL_GUID;

  constructor(file: ByteFile, headers: HeaderPair, random: RandomBytes, note?: Note) {
    const { logOffset, logLength } = headers.current;
    this.#file = file;
    this.#headers = headers;
    this.#ring = new LogRing(file, logOffset, logLength);
    this.#random = random;
    this.#note = note;
  }

  /**
   * Logs the change, makes it durable, and carries it out in place.
   *
   * The caller has flushed the file since the last commit. What is carried out in place is durable by way of the log; the
   * next flush makes it so by itself.
   */
  commit(updates: readonly SectorUpdate[]): void {
    assert(updates.length <= MAX_UPDATES, `${updates.length} updates in one log entry`);
    if (this.#logGuid === NIL_GUID) this.#logGuid = newGuid(this.#random);
    const entry = encodeLogEntry(
      {
        tail: this.#position,
        sequence: this.#sequence,
        logGuid: this.#logGuid,
        flushedFileOffset: Math.floor(this.#file.size / MIB) * MIB,
        lastFileOffset: mibOf(this.#file.size) * MIB,
      },
      updates,
    );
    this.#ring.write(this.#position, entry);
    this.#note?.({ kind: 'vhdx.log-written', sequence: Number(this.#sequence), sectors: updates.map((u) => u.offset) });
    this.#file.flush();
    this.#position = this.#ring.after(this.#position, logEntryLength(updates.length));
    this.#sequence += 1n;
    // Only now does the header name the log: a log that is named holds an entry, or the image is corrupt.
    if (this.#headers.current.logGuid === NIL_GUID) this.#headers.update({ logGuid: this.#logGuid });
    for (const { offset, bytes } of updates) {
      this.#file.write(offset, bytes);
      this.#note?.({ kind: 'vhdx.sector-written', offset });
    }
  }

  /** Empties the log. The caller has flushed the file since the last commit. */
  empty(): void {
    if (this.#headers.current.logGuid !== NIL_GUID) this.#headers.update({ logGuid: NIL_GUID });
    this.#logGuid = NIL_GUID;
    this.#position = 0;
    this.#sequence = 1n;
  }
}
