import { getU64, setU64, viewOf } from '@quorate/kernel';
import { type Guid, readGuid, writeGuid } from '../guid.js';
import { MIB } from '../units.js';
import { corrupt } from '../vhdx-error.js';
import { checkChecksum, seal } from './checksum.js';
import { checkSignature, putSignature } from './signature.js';

const SIGNATURE = 'regi';
const ENTRIES_OFFSET = 16;
const ENTRY_BYTES = 32;
const MAX_ENTRIES = 2047;

export const REGION_TABLE_BYTES: number = 64 * 1024;

/** Where the two copies stand; both say the same. */
export const REGION_TABLE_OFFSETS: readonly [number, number] = [192 * 1024, 256 * 1024];

/** The regions that every image has. */
export const BAT_REGION: Guid = '2dc27766-f623-4200-9d64-115e9bfd4a08';
export const METADATA_REGION: Guid = '8b7ca206-4790-4b9a-b8fe-575f050f886e';

/** A region of the file. */
export interface Region {
  readonly guid: Guid;
  /** In bytes, like `length`: multiples of 1 MiB. */
  readonly offset: number;
  readonly length: number;
  /** Who does not know a region that is required must not open the file. */
  readonly isRequired: boolean;
}

/**
 * Region table, 64 KiB. Little-endian.
 *
 * offset size field
 *      0    4 signature `regi`
 *      4    4 checksum  CRC-32C over the 64 KiB
 *      8    4 count     at most 2047
 *     16      entries of 32 bytes:
 *      0   16 GUID
 *     16    8 offset    a multiple of 1 MiB, at least 1 MiB
 *     24    4 length    a multiple of 1 MiB
 *     28    4 flags     bit 0 required
 *
 * Source: MS-VHDX 2.2.3.
 */
export function encodeRegionTable(regions: readonly Region[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(REGION_TABLE_BYTES);
  const view = viewOf(bytes);
  putSignature(bytes, 0, SIGNATURE);
  view.setUint32(8, regions.length, true);
  regions.forEach(({ guid, offset, length, isRequired }, i) => {
    const at = ENTRIES_OFFSET + i * ENTRY_BYTES;
    writeGuid(bytes, at, guid);
    setU64(view, at + 16, offset, true);
    view.setUint32(at + 24, length, true);
    view.setUint32(at + 28, isRequired ? 1 : 0, true);
  });
  seal(bytes);
  return bytes;
}

/** @throws {VhdxError} when signature, checksum, count or an entry is not as it should be. */
export function decodeRegionTable(bytes: Uint8Array, structure: string, offset: number): Region[] {
  checkSignature(bytes, SIGNATURE, structure, offset);
  checkChecksum(bytes, structure, offset);
  const view = viewOf(bytes);
  const count = view.getUint32(8, true);
  if (count > MAX_ENTRIES) throw corrupt(structure, offset + 8, `${count} entries`, `at most ${MAX_ENTRIES}`);
  const regions: Region[] = [];
  const guids = new Set<Guid>();
  for (let at = ENTRIES_OFFSET; at < ENTRIES_OFFSET + count * ENTRY_BYTES; at += ENTRY_BYTES) {
    const region = {
      guid: readGuid(bytes, at),
      offset: getU64(view, at + 16, true),
      length: view.getUint32(at + 24, true),
      isRequired: (view.getUint32(at + 28, true) & 1) !== 0,
    };
    checkRegion(region, structure, offset + at);
    if (guids.has(region.guid)) throw corrupt(structure, offset + at, `${region.guid} twice`, 'every region once');
    guids.add(region.guid);
    regions.push(region);
  }
  return regions;
}

function checkRegion({ offset, length }: Region, structure: string, at: number): void {
  if (offset < MIB || offset % MIB !== 0) {
    throw corrupt(structure, at + 16, `region offset ${offset}`, 'a multiple of 1 MiB, at least 1 MiB');
  }
  if (length === 0 || length % MIB !== 0) {
    throw corrupt(structure, at + 24, `region length ${length}`, 'a multiple of 1 MiB');
  }
}
