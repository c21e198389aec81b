import { cString, getU64, setU64, utf8Bytes, utf8Text, viewOf } from '@quorate/kernel';
import { openSlot, SLOT_DATA_OFFSET, type SlotDefect, sealSlot } from './block.js';

/** Magic of a quorum disk's header. */
export const HEADER_MAGIC = 0xeb7a62c2;
/** Magic of Red Hat Cluster Manager 1.2's header: recognised for a warning only. */
export const HEADER_MAGIC_OLD = 0x39119fcd;
/** "V2": the header records the sector size. */
export const HEADER_VERSION = 0x389fabc4;

const HEADER_BYTES = 272;
const HOST_BYTES = 128;
const LABEL_BYTES = 120;
/** `snprintf` gets one byte less than the field has and spends one on the NUL. */
const LABEL_MAX = LABEL_BYTES - 2;

/**
 * Quorum header, 272 bytes, integers big-endian.
 *
 * offset size field
 *      0    4 magic         0xeb7a62c2
 *      4    4 version       0x389fabc4
 *      8    8 created       second
 *     16  128 host          name of the machine that ran mkqdisk, NUL terminated
 *    144  120 label         at most 118 bytes, NUL terminated
 *    264    4 sector size   of the device when it was written
 *    268    4 kernel size   zero on disk; the reader fills it in memory
 *
 * Source: cluster.git cman/qdisk/disk.h, `quorum_header_t`; disk.c, `header_init`.
 */
export interface QuorumHeader {
  readonly magic: number;
  readonly version: number;
  readonly created: number;
  readonly host: string;
  readonly label: string;
  readonly sectorSize: number;
}

/** Writes the header into `sector`, all of it; texts that are too long are cut. False: see `sealSlot`. */
export function encodeHeader(sector: Uint8Array, header: QuorumHeader, timestamp: number = header.created): boolean {
  const data = sector.subarray(SLOT_DATA_OFFSET);
  const view = viewOf(data);
  sector.fill(0);
  view.setUint32(0, header.magic);
  view.setUint32(4, header.version);
  setU64(view, 8, header.created);
  data.set(utf8Bytes(header.host).subarray(0, HOST_BYTES - 1), 16);
  data.set(utf8Bytes(header.label).subarray(0, LABEL_MAX), 144);
  view.setUint32(264, header.sectorSize);
  return sealSlot(sector, HEADER_BYTES, timestamp);
}

/** Reads a header of either magic; the caller looks at `magic`. */
export function decodeHeader(sector: Uint8Array): QuorumHeader | SlotDefect {
  const record = openSlot(sector);
  if (typeof record === 'string') return record;
  const data = new Uint8Array(HEADER_BYTES);
  data.set(record.subarray(0, HEADER_BYTES));
  const view = viewOf(data);
  return {
    magic: view.getUint32(0),
    version: view.getUint32(4),
    created: getU64(view, 8),
    host: fieldText(data, 16, HOST_BYTES),
    label: fieldText(data, 144, LABEL_BYTES),
    sectorSize: view.getUint32(264),
  };
}

function fieldText(data: Uint8Array, offset: number, size: number): string {
  const length = cString(data, offset, offset + size).length;
  return utf8Text(data, offset, offset + length);
}
