import { asciiBytes, getU64, latin1, setU64, viewOf } from '@quorate/kernel';
import { FormatError } from '../format-error.js';
import { SECTOR_BYTES } from '../sector-device.js';
import { lvmChecksum } from './checksum.js';
import { dashed, UUID_CHARACTERS, undashed } from './uuid.js';

/** A run of bytes on a device: a data area or a metadata area. A data area of size 0 goes to the end of the device. */
export interface DiskArea {
  /** In bytes from the start of the device. */
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

/** What follows the lists of areas since LVM 2.02.99. */
export interface PvHeaderExtension {
  /** 1, or 2 which has flags. */
  readonly version: number;
  /** Bit 0: the volume belongs to a group (`PV_EXT_USED`, from version 2 on). */
  readonly flags: number;
  readonly bootloaderAreas: readonly DiskArea[];
}

/** `PV_EXT_USED`. */
export const PV_EXT_USED = 1;

/** What the label of a physical volume says. */
export interface PvLabel {
  /** Sector in which it stands, 0 to 3; 1 by default. */
  readonly sector: number;
  /** Identifier of the physical volume, with dashes. */
  readonly uuid: string;
  /** Of the device when it became a physical volume, in bytes. */
  readonly deviceSize: number;
  readonly dataAreas: readonly DiskArea[];
  readonly metadataAreas: readonly DiskArea[];
  /** Absent in what LVM before 2.02.99 wrote. */
  readonly extension?: PvHeaderExtension;
}

/** A label is looked for in that many sectors from the start of the device. */
export const LABEL_SCAN_SECTORS = 4;

const LABEL_ID = 'LABELONE';
const LABEL_TYPE = 'LVM2 001';
const CHECKED_FROM = 20;
const PV_HEADER = 32;
const LISTS = PV_HEADER + UUID_CHARACTERS + 8;

/** Whether a sector begins as a label does. */
export function hasLabelId(sector: Uint8Array): boolean {
  return latin1(sector, 0, LABEL_ID.length) === LABEL_ID;
}

/**
 * The sector of a label, 512 bytes, little-endian.
 *
 * offset size field
 *      0    8 id       "LABELONE"
 *      8    8 sector   in which it stands
 *     16    4 crc      of bytes 20 to 511
 *     20    4 offset   of the pv_header in this sector: 32
 *     24    8 type     "LVM2 001"
 *     32   32 pv_uuid  pv_header from here on; without dashes
 *     64    8 device_size
 *     72   16 disk_areas_xl   offset and size of each data area, a pair of zeros, the same of the metadata areas, a pair
 *                             of zeros
 *      …    4 version  of the extension; zero: there is none
 *      …    4 flags
 *      …   16 bootloader areas, a pair of zeros
 *
 * Source: LVM2 lib/label/label.h, `label_header`; lib/format_text/layout.h, `pv_header`, `pv_header_extension`.
 */
export function encodeLabel(label: PvLabel): Uint8Array<ArrayBuffer> {
  const sector = new Uint8Array(SECTOR_BYTES);
  const view = viewOf(sector);
  sector.set(asciiBytes(LABEL_ID), 0);
  setU64(view, 8, label.sector, true);
  view.setUint32(20, PV_HEADER, true);
  sector.set(asciiBytes(LABEL_TYPE), 24);
  sector.set(asciiBytes(undashed(label.uuid)).subarray(0, UUID_CHARACTERS), PV_HEADER);
  setU64(view, PV_HEADER + UUID_CHARACTERS, label.deviceSize, true);
  let at = encodeAreas(view, LISTS, label.dataAreas);
  at = encodeAreas(view, at, label.metadataAreas);
  if (label.extension !== undefined) {
    view.setUint32(at, label.extension.version, true);
    view.setUint32(at + 4, label.extension.flags, true);
    encodeAreas(view, at + 8, label.extension.bootloaderAreas);
  }
  view.setUint32(16, lvmChecksum(sector.subarray(CHECKED_FROM)), true);
  return sector;
}

function encodeAreas(view: DataView, at: number, areas: readonly DiskArea[]): number {
  for (const { offset, size } of areas) {
    setU64(view, at, offset, true);
    setU64(view, at + 8, size, true);
    at += 16;
  }
  return at + 16;
}

/**
 * Reads the sector that stands at sector `at` of its device.
 *
 * @throws {FormatError} `label_header` or `pv_header`: what is wrong, in the order of LVM's own checks.
 */
export function decodeLabel(sector: Uint8Array, at: number): PvLabel {
  const start = at * SECTOR_BYTES;
  const fail = (why: string) => new FormatError('label_header', start, why);
  if (sector.length < SECTOR_BYTES) throw fail(`${sector.length} bytes, expected 512`);
  if (!hasLabelId(sector)) throw fail(`id ${JSON.stringify(latin1(sector, 0, 8))}, expected "${LABEL_ID}"`);
  const view = viewOf(sector);
  const number = getU64(view, 8, true);
  if (number !== at) throw fail(`it says sector ${number}, expected ${at}`);
  const checksum = lvmChecksum(sector.subarray(CHECKED_FROM, SECTOR_BYTES));
  const stored = view.getUint32(16, true);
  if (stored !== checksum) throw fail(`crc 0x${stored.toString(16)}, expected 0x${checksum.toString(16)}`);
  const type = latin1(sector, 24, 32);
  if (type !== LABEL_TYPE) throw fail(`type ${JSON.stringify(type)}, expected "${LABEL_TYPE}"`);
  const header = view.getUint32(20, true);
  if (header !== PV_HEADER) throw fail(`the pv_header at ${header}, expected ${PV_HEADER}`);
  return decodePvHeader(sector, at);
}

function decodePvHeader(sector: Uint8Array, at: number): PvLabel {
  const view = viewOf(sector);
  const cursor = { at: LISTS, start: at * SECTOR_BYTES };
  const uuid = latin1(sector, PV_HEADER, PV_HEADER + UUID_CHARACTERS);
  if (!/^[0-9A-Za-z!#]{32}$/.test(uuid)) {
    throw new FormatError(
      'pv_header',
      cursor.start + PV_HEADER,
      `pv_uuid ${JSON.stringify(uuid)}, expected 32 letters`,
    );
  }
  const dataAreas = decodeAreas(view, cursor);
  const metadataAreas = decodeAreas(view, cursor);
  const deviceSize = getU64(view, PV_HEADER + UUID_CHARACTERS, true);
  const extension = decodeExtension(view, cursor);
  const label = { sector: at, uuid: dashed(uuid), deviceSize, dataAreas, metadataAreas };
  return extension === undefined ? label : { ...label, extension };
}

function decodeExtension(
  view: DataView,
  cursor: { at: number; readonly start: number },
): PvHeaderExtension | undefined {
  if (cursor.at + 8 > view.byteLength) return undefined;
  const version = view.getUint32(cursor.at, true);
  if (version === 0) return undefined;
  const flags = view.getUint32(cursor.at + 4, true);
  cursor.at += 8;
  return { version, flags, bootloaderAreas: decodeAreas(view, cursor) };
}

/** A list up to its pair of zeros; the cursor ends behind that. */
function decodeAreas(view: DataView, cursor: { at: number; readonly start: number }): readonly DiskArea[] {
  const areas: DiskArea[] = [];
  for (; cursor.at + 16 <= view.byteLength; cursor.at += 16) {
    const area = { offset: getU64(view, cursor.at, true), size: getU64(view, cursor.at + 8, true) };
    if (area.offset === 0) {
      cursor.at += 16;
      return areas;
    }
    if (!Number.isSafeInteger(area.offset + area.size)) {
      throw new FormatError('pv_header', cursor.start + cursor.at, 'an area behind byte 2^53 of its device');
    }
    areas.push(area);
  }
  throw new FormatError('pv_header', cursor.start + cursor.at, 'the list of areas has no end in the sector');
}
