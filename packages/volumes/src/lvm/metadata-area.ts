import { concatBytes, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { FormatError } from '../format-error.js';
import { readSectors, SECTOR_BYTES, type SectorDevice, writeSectors } from '../sector-device.js';
import { VolumeError } from '../volume-error.js';
import { lvmChecksum } from './checksum.js';
import type { DiskArea } from './label.js';
import {
  decodeMdaHeader,
  encodeMdaHeader,
  MDA_HEADER_BYTES,
  type MdaHeader,
  NO_LOCATION,
  RAW_LOCN_IGNORED,
  type RawLocation,
} from './mda-header.js';

/** Largest text that is read or written; LVM's own areas are 1 MiB unless somebody asks for more. */
const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** A piece of a text, which is in two where it passes the end of its area. In bytes from the start of the device. */
interface Piece {
  readonly at: number;
  readonly length: number;
}

function piecesOf(area: DiskArea, { offset, size }: RawLocation): readonly Piece[] {
  const first = Math.min(size, area.size - offset);
  const pieces = [{ at: area.offset + offset, length: first }];
  if (first < size) pieces.push({ at: area.offset + MDA_HEADER_BYTES, length: size - first });
  return pieces;
}

/** Reads the header of a metadata area. @throws {FormatError} @throws {VolumeError} `io` */
export function* readMdaHeader(device: SectorDevice, area: DiskArea): Task<MdaHeader> {
  const fail = (why: string) => new FormatError('mda_header', area.offset, why);
  if (area.offset % SECTOR_BYTES !== 0 || area.size % SECTOR_BYTES !== 0 || area.size <= MDA_HEADER_BYTES) {
    throw fail(`an area of ${area.size} bytes, expected at least two whole sectors`);
  }
  const end = device.sectors * SECTOR_BYTES;
  if (area.offset + area.size > end) {
    throw fail(`the area ends at byte ${area.offset + area.size}, expected at most ${end}, the size of the device`);
  }
  return decodeMdaHeader(yield* readSectors(device, area.offset / SECTOR_BYTES, 1), area);
}

/** Whether the header says that its area is not used for texts. */
export function isIgnored({ committed }: MdaHeader): boolean {
  return (committed.flags & RAW_LOCN_IGNORED) !== 0;
}

/** A text as it was read, and where each of its characters stands on the device. */
export interface PlacedText {
  readonly text: string;
  readonly offsetOf: (index: number) => number;
}

/**
 * The text at a place of a metadata area.
 *
 * @throws {FormatError} when its checksum is wrong. @throws {VolumeError} `io`
 */
export function* readText(device: SectorDevice, area: DiskArea, location: RawLocation): Task<PlacedText> {
  const pieces = piecesOf(area, location);
  const fail = (why: string) => new FormatError('metadata text', pieces[0]!.at, why);
  if (location.size > MAX_TEXT_BYTES) throw fail(`${location.size} bytes, expected at most ${MAX_TEXT_BYTES}`);
  const parts: Uint8Array[] = [];
  for (const { at, length } of pieces) parts.push(yield* readBytes(device, at, length));
  const checksum = lvmChecksum(...parts);
  if (checksum !== location.checksum) {
    throw fail(
      `checksum 0x${checksum.toString(16)}, expected 0x${location.checksum.toString(16)} as the mda_header says`,
    );
  }
  const text = utf8Text(concatBytes(...parts));
  return { text, offsetOf: (index) => placeOf(text, index, pieces) };
}

/** Where a character of a text stands on the device. */
function placeOf(text: string, index: number, pieces: readonly Piece[]): number {
  const offset = utf8Bytes(text.slice(0, index)).length;
  const [first, second] = pieces;
  return second === undefined || offset < first!.length ? first!.at + offset : second.at + offset - first!.length;
}

function* readBytes(device: SectorDevice, at: number, length: number): Task<Uint8Array> {
  const first = Math.floor(at / SECTOR_BYTES);
  const skipped = at - first * SECTOR_BYTES;
  const bytes = yield* readSectors(device, first, Math.ceil((skipped + length) / SECTOR_BYTES));
  return bytes.subarray(skipped, skipped + length);
}

/**
 * Writes a text behind the committed one and precommits it: a reader still takes the old one.
 *
 * @returns the header as it is on disk then. @throws {VolumeError} `no-space` when old and new text do not fit into the
 * area together, `io`.
 */
export function* precommitMetadata(device: SectorDevice, header: MdaHeader, text: string): Task<MdaHeader> {
  const bytes = utf8Bytes(text);
  const location = placeFor(header, bytes);
  let done = 0;
  for (const { at, length } of piecesOf(header.area, location)) {
    yield* writeBytes(device, at, bytes.subarray(done, done + length));
    done += length;
  }
  return yield* writeMdaHeader(device, { ...header, precommitted: location });
}

/** Puts the precommitted text in force. */
export function* commitMetadata(device: SectorDevice, header: MdaHeader): Task<MdaHeader> {
  return yield* writeMdaHeader(device, { ...header, committed: header.precommitted, precommitted: NO_LOCATION });
}

/** Takes a precommitted text back: the old one stays in force. */
export function* revertMetadata(device: SectorDevice, header: MdaHeader): Task<MdaHeader> {
  return yield* writeMdaHeader(device, { ...header, precommitted: NO_LOCATION });
}

/** Leaves an area without text, as a volume without group has it. */
export function* clearMetadata(device: SectorDevice, area: DiskArea): Task {
  yield* writeMdaHeader(device, { area, committed: NO_LOCATION, precommitted: NO_LOCATION });
}

function* writeMdaHeader(device: SectorDevice, header: MdaHeader): Task<MdaHeader> {
  yield* writeSectors(device, header.area.offset / SECTOR_BYTES, encodeMdaHeader(header));
  return header;
}

/** The next sector behind the committed text; at the end of the area it goes on behind the header. */
function placeFor({ area, committed }: MdaHeader, bytes: Uint8Array): RawLocation {
  const room = area.size - MDA_HEADER_BYTES;
  const isFirst = committed.offset === 0;
  const next = isFirst ? MDA_HEADER_BYTES : roundUp(committed.offset + committed.size);
  const used = isFirst ? 0 : next - (committed.offset - (committed.offset % SECTOR_BYTES));
  if (used + roundUp(bytes.length) > room || bytes.length > MAX_TEXT_BYTES) {
    const found = `a text of ${bytes.length} bytes beside one of ${committed.size}`;
    throw new VolumeError('no-space', `${found} in a metadata area of ${room}: it is too small for both`);
  }
  const offset = next < area.size ? next : next - room;
  return { offset, size: bytes.length, checksum: lvmChecksum(bytes), flags: 0 };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}

/** Fills the last sector with zeros: nothing lies there that is still in force. */
function* writeBytes(device: SectorDevice, at: number, bytes: Uint8Array): Task {
  const padded = new Uint8Array(roundUp(bytes.length));
  padded.set(bytes);
  yield* writeSectors(device, at / SECTOR_BYTES, padded);
}
