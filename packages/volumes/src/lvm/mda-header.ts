import { asciiBytes, getU64, latin1, setU64, viewOf } from '@quorate/kernel';
import { FormatError } from '../format-error.js';
import { SECTOR_BYTES } from '../sector-device.js';
import { lvmChecksum } from './checksum.js';
import type { DiskArea } from './label.js';

/** Where a text lies in its metadata area, which is a ring of bytes behind its first sector. */
export interface RawLocation {
  /** In bytes from the start of the area; 0: there is no text. */
  readonly offset: number;
  /** In bytes, with the NUL at the end. A text that reaches the end of the area goes on behind the header. */
  readonly size: number;
  readonly checksum: number;
  /** Bit 0: the area is not in use (`RAW_LOCN_IGNORED`). */
  readonly flags: number;
}

/** `RAW_LOCN_IGNORED`. */
export const RAW_LOCN_IGNORED = 1;

/** No text. */
export const NO_LOCATION: RawLocation = { offset: 0, size: 0, checksum: 0, flags: 0 };

/** The header of a metadata area. */
export interface MdaHeader {
  /** The area itself, header included, in bytes from the start of the device. */
  readonly area: DiskArea;
  /** The text in force. */
  readonly committed: RawLocation;
  /** A text that its writer has not committed yet. */
  readonly precommitted: RawLocation;
}

/** Bytes of the header, and so the offset at which the ring of texts begins. */
export const MDA_HEADER_BYTES: number = SECTOR_BYTES;

const MAGIC = ' LVM2 x[5A%r0N*>';
const VERSION = 1;

/**
 * The header of a metadata area, 512 bytes, little-endian.
 *
 * offset size field
 *      0    4 checksum   of bytes 4 to 511
 *      4   16 magic      " LVM2 x[5A%r0N*>"
 *     20    4 version    1
 *     24    8 start      of the area on the device
 *     32    8 size       of the area
 *     40   24 raw_locn   the text in force: offset, size (8 bytes each), checksum, flags (4 each)
 *     64   24 raw_locn   the text that is precommitted
 *
 * Source: LVM2 lib/format_text/layout.h, `mda_header`, `raw_locn`; format-text.c, `_raw_write_mda_header`.
 */
export function encodeMdaHeader({ area, committed, precommitted }: MdaHeader): Uint8Array<ArrayBuffer> {
  const sector = new Uint8Array(MDA_HEADER_BYTES);
  const view = viewOf(sector);
  sector.set(asciiBytes(MAGIC), 4);
  view.setUint32(20, VERSION, true);
  setU64(view, 24, area.offset, true);
  setU64(view, 32, area.size, true);
  encodeLocation(view, 40, committed);
  encodeLocation(view, 64, precommitted);
  view.setUint32(0, lvmChecksum(sector.subarray(4)), true);
  return sector;
}

/** Reads the header of `area`. @throws {FormatError} `mda_header`, in the order of LVM's own checks. */
export function decodeMdaHeader(sector: Uint8Array, area: DiskArea): MdaHeader {
  const fail = (why: string) => new FormatError('mda_header', area.offset, why);
  if (sector.length < MDA_HEADER_BYTES) throw fail(`${sector.length} bytes, expected ${MDA_HEADER_BYTES}`);
  const view = viewOf(sector);
  const checksum = lvmChecksum(sector.subarray(4, MDA_HEADER_BYTES));
  const stored = view.getUint32(0, true);
  if (stored !== checksum) throw fail(`checksum 0x${stored.toString(16)}, expected 0x${checksum.toString(16)}`);
  const magic = latin1(sector, 4, 20);
  if (magic !== MAGIC) throw fail(`magic ${JSON.stringify(magic)}, expected "${MAGIC}"`);
  const version = view.getUint32(20, true);
  if (version !== VERSION) throw fail(`version ${version}, expected ${VERSION}`);
  const start = getU64(view, 24, true);
  if (start !== area.offset) throw fail(`start ${start}, expected ${area.offset}`);
  const size = getU64(view, 32, true);
  if (size !== area.size) throw fail(`size ${size}, expected ${area.size} as the pv_header says`);
  return { area, committed: decodeLocation(view, 40, area), precommitted: decodeLocation(view, 64, area) };
}

function encodeLocation(view: DataView, at: number, { offset, size, checksum, flags }: RawLocation): void {
  setU64(view, at, offset, true);
  setU64(view, at + 8, size, true);
  view.setUint32(at + 16, checksum, true);
  view.setUint32(at + 20, flags, true);
}

function decodeLocation(view: DataView, at: number, area: DiskArea): RawLocation {
  const offset = getU64(view, at, true);
  const size = getU64(view, at + 8, true);
  const location = { offset, size, checksum: view.getUint32(at + 16, true), flags: view.getUint32(at + 20, true) };
  if (offset === 0) return { ...NO_LOCATION, flags: location.flags };
  const isInside = offset >= MDA_HEADER_BYTES && offset < area.size && size <= area.size - MDA_HEADER_BYTES;
  if (isInside && size > 0) return location;
  const expected = `bytes ${MDA_HEADER_BYTES} to ${area.size - 1} of the area`;
  throw new FormatError(
    'mda_header',
    area.offset + at,
    `a text of ${size} bytes at ${offset}, expected in ${expected}`,
  );
}
