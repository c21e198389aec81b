import { bytesEqual, setU64, viewOf } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seal } from '../src/format/checksum.js';
import type { Header } from '../src/format/header.js';
import {
  decodeLogEntryHeader,
  decodeLogUpdates,
  encodeLogEntry,
  LOG_SECTOR_BYTES,
  logEntryLength,
} from '../src/format/log-entry.js';
import { checkVhdx } from '../src/index.js';
import { activeSequence } from '../src/log/active-sequence.js';
import { replay } from '../src/log/replay.js';
import { LogRing } from '../src/log/ring.js';
import { CrashFile } from './crash-file.js';
import { MIB, newImage, open, openReadOnly, pattern, sectors } from './images.js';
import { PageFile } from './page-file.js';

const LOG_GUID = '01234567-89ab-4cde-8f01-23456789abcd';
const HEADER: Header = {
  sequence: 1n,
  fileWriteGuid: LOG_GUID,
  dataWriteGuid: LOG_GUID,
  logGuid: LOG_GUID,
  logLength: MIB,
  logOffset: MIB,
};
const FILE_BYTES = 4 * MIB;

/** One line for each entry to be written: position and tail in sectors, sequence number, offsets of its updates in KiB. */
type Line = readonly [position: number, tail: number, sequence: bigint, ...offsets: number[]];

function logOf(...lines: readonly Line[]): PageFile {
  const file = new PageFile();
  file.resize(FILE_BYTES);
  const ring = new LogRing(file, HEADER.logOffset, HEADER.logLength);
  for (const [position, tail, sequence, ...offsets] of lines) {
    const fields = { tail: tail * 4096, sequence, logGuid: LOG_GUID, flushedFileOffset: FILE_BYTES };
    const updates = offsets.map((offset) => ({ offset: offset * 1024, bytes: pattern(Number(sequence), 4096) }));
    ring.write(position * 4096, encodeLogEntry({ ...fields, lastFileOffset: FILE_BYTES }, updates));
  }
  return file;
}

/** Sequence numbers of the entries that would be replayed. */
function active(file: PageFile): bigint[] {
  return activeSequence(file, HEADER).map(({ sequence }) => sequence);
}

/** Turns a bit of a sector of the log. */
function damage(file: PageFile, sector: number): PageFile {
  const byte = new Uint8Array(1);
  file.read(MIB + sector * 4096 + 2000, byte);
  file.write(
    MIB + sector * 4096 + 2000,
    byte.map((value) => value ^ 4),
  );
  return file;
}

describe('the active sequence', () => {
  it.each<[string, PageFile, bigint[]]>([
    ['one entry', logOf([0, 0, 1n, 3072]), [1n]],
    ['from tail to head', logOf([0, 0, 1n, 3072], [2, 0, 2n, 3076], [4, 0, 3n, 3080]), [1n, 2n, 3n]],
    ['only from the tail on', logOf([0, 0, 1n, 3072], [2, 0, 2n, 3076], [4, 2, 3n, 3080]), [2n, 3n]],
    ['a head that is its own tail', logOf([0, 0, 1n, 3072], [2, 2, 2n, 3076]), [2n]],
    ['over the end of the ring', logOf([254, 254, 8n, 3072], [0, 254, 9n, 3076]), [8n, 9n]],
    ['an entry over the end of the ring', logOf([255, 255, 8n, 3072]), [8n]],
    ['old entries before it do not count', logOf([0, 0, 9n, 3072], [10, 10, 3n, 3076]), [9n]],
    ['a head that is torn: the one before', damage(logOf([0, 0, 1n, 3072], [2, 0, 2n, 3076]), 3), [1n]],
    [
      'a tail that is torn: the last whole one',
      damage(logOf([0, 0, 1n, 3072], [2, 2, 2n, 3076], [4, 2, 3n, 3080]), 5),
      [2n],
    ],
    ['a gap in the numbers', logOf([0, 0, 1n, 3072], [2, 0, 3n, 3076]), [1n]],
    ['no updates', logOf([0, 0, 5n]), [5n]],
  ])('%s', (_what, file, expected) => {
    expect(active(file)).toEqual(expected);
  });

  it.each<[string, PageFile]>([
    ['nothing', logOf()],
    ['one entry, torn', damage(logOf([0, 0, 1n, 3072]), 1)],
    ['a tail that is not there', logOf([4, 0, 2n, 3072])],
    ['sequence number 0', logOf([0, 0, 0n, 3072])],
  ])('there is none: %s', (_what, file) => {
    expect(() => active(file)).toThrow('log at byte 1048576: found no valid sequence');
  });

  it('entries of another log do not count', () => {
    const file = logOf([0, 0, 1n, 3072]);
    const other = { ...HEADER, logGuid: LOG_GUID.replace('0123', '3210') };
    expect(() => activeSequence(file, other)).toThrow('no valid sequence');
  });
});

describe('replay', () => {
  it('carries out entries in order, data and zeros, and extends the file', () => {
    const file = logOf();
    file.write(3 * MIB, sectors(0xff, 64));
    const first = encodeLogEntry(
      { tail: 0, sequence: 1n, logGuid: LOG_GUID, flushedFileOffset: FILE_BYTES, lastFileOffset: 6 * MIB },
      [{ offset: 3 * MIB, bytes: pattern(1, 4096) }],
    );
    const second = encodeLogEntry(
      { tail: 0, sequence: 2n, logGuid: LOG_GUID, flushedFileOffset: FILE_BYTES, lastFileOffset: 6 * MIB },
      [],
    );
    const view = viewOf(second);
    view.setUint32(24, 1, true);
    second.set([0x7a, 0x65, 0x72, 0x6f], 64);
    setU64(view, 72, 8192, true);
    setU64(view, 80, 3 * MIB + 4096, true);
    view.setBigUint64(88, 2n, true);
    seal(second);
    file.write(MIB, first);
    file.write(MIB + first.length, second);
    replay(file, HEADER, activeSequence(file, HEADER));
    const bytes = new Uint8Array(16_384);
    file.read(3 * MIB, bytes);
    expect(bytesEqual(bytes.subarray(0, 4096), pattern(1, 4096))).toBe(true);
    expect(bytes.subarray(4096, 12_288).every((byte) => byte === 0)).toBe(true);
    expect(bytes.subarray(12_288).every((byte) => byte === 0xff)).toBe(true);
    expect(file.size).toBe(6 * MIB);
  });
});

it('zeros beyond the end of the file cost nothing, however many', () => {
  const file = logOf();
  const last = 100 * 1024 ** 4;
  const fields = { tail: 0, sequence: 1n, logGuid: LOG_GUID, flushedFileOffset: FILE_BYTES, lastFileOffset: last };
  const entry = encodeLogEntry(fields, []);
  const view = viewOf(entry);
  view.setUint32(24, 1, true);
  entry.set([0x7a, 0x65, 0x72, 0x6f], 64);
  setU64(view, 72, last - 3 * MIB, true);
  setU64(view, 80, 3 * MIB, true);
  view.setBigUint64(88, 1n, true);
  seal(entry);
  file.write(MIB, entry);
  replay(file, HEADER, activeSequence(file, HEADER));
  expect(file.size).toBe(last);
});

describe('an image that goes round its log', () => {
  it('is whole after each flush, wherever the entry lies', () => {
    const file = new CrashFile(newImage({ size: 1200 * MIB }));
    const image = open(file);
    for (let i = 0; i < 100; i++) {
      // Two sectors of the BAT, so three of the log: 256 is no multiple of that.
      image.write(i * 2048, sectors(i + 1));
      image.write((600 + i) * 2048, sectors(i + 1));
      image.flush();
      if (i % 7 > 0 && i % 85 > 1) continue;
      const left = file.afterPrefix(0);
      expect(checkVhdx(left).map(({ severity }) => severity)).toEqual(['warning']);
      const bytes = sectors(0);
      openReadOnly(left).read((600 + i) * 2048, 1, bytes);
      expect(bytes).toEqual(sectors(i + 1));
    }
  });
});

describe('a log entry', () => {
  it('is read as it was written', () => {
    const update = fc.record({ offset: fc.nat(1000).map((n) => n * 4096), seed: fc.nat(255) });
    fc.assert(
      fc.property(
        fc.array(update, { maxLength: 140 }),
        fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
        (all, sequence) => {
          const updates = all.map(({ offset, seed }) => ({ offset, bytes: pattern(seed, LOG_SECTOR_BYTES) }));
          const fields = { tail: 8192, sequence, logGuid: LOG_GUID, flushedFileOffset: MIB, lastFileOffset: 2 * MIB };
          const bytes = encodeLogEntry(fields, updates);
          const header = decodeLogEntryHeader(bytes, 0, MIB)!;
          expect(header).toEqual({ ...fields, length: logEntryLength(all.length), descriptors: all.length });
          const read = decodeLogUpdates(bytes, header)!;
          expect(read.map(({ offset }) => offset)).toEqual(all.map(({ offset }) => offset));
          read.forEach((one, i) => {
            expect(one.kind === 'data' && bytesEqual(one.bytes, updates[i]!.bytes)).toBe(true);
          });
        },
      ),
      { numRuns: 30 },
    );
  });
});
