import type { ByteFile } from '@quorate/scsi';
import { type BlockMap, batEntryName } from './block-map.js';
import { BAT_ENTRY_BYTES, type BatGeometry, batGeometry, entryCount, entryOfBlock } from './format/bat.js';
import { hasRightChecksum } from './format/checksum.js';
import type { Header } from './format/header.js';
import { type Metadata, readMetadata } from './format/metadata.js';
import {
  BAT_REGION,
  decodeRegionTable,
  METADATA_REGION,
  REGION_TABLE_BYTES,
  REGION_TABLE_OFFSETS,
  type Region,
} from './format/region-table.js';
import { hasSignature } from './format/signature.js';
import type { Guid } from './guid.js';
import type { Copy } from './header-pair.js';
import { RoomMap } from './room-map.js';
import { MAX_FILE_BYTES, MIB } from './units.js';
import { corrupt, VhdxError } from './vhdx-error.js';

/** Where everything is in an image, except the payload blocks. */
export interface Layout {
  readonly regions: readonly Region[];
  readonly bat: Region;
  readonly metadata: Metadata;
  readonly geometry: BatGeometry;
  readonly structures: readonly Structure[];
}

/** Something that takes room in the file. */
interface Structure {
  readonly name: string;
  /** In bytes, like `length`: multiples of 1 MiB. */
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads region tables and metadata. The log has been replayed.
 *
 * @throws {VhdxError} when one of them is not as it should be, or does not fit in the file.
 */
export function readLayout(file: ByteFile, header: Header): Layout {
  const regions = readRegions(file);
  const structures = structuresOf(header, regions);
  const bat = regionOf(regions, BAT_REGION, 'BAT');
  const metadataRegion = regionOf(regions, METADATA_REGION, 'metadata region');
  for (const structure of structures) checkInside(structure, file.size);
  checkApart(structures);
  const metadata = readMetadata(file, metadataRegion);
  const geometry = batGeometry(metadata.diskSize, metadata.blockSize, metadata.logicalSectorSize);
  const entries = entryCount(geometry);
  if (entries * BAT_ENTRY_BYTES > bat.length) {
    throw corrupt('BAT', bat.offset, `${bat.length} bytes`, `room for ${entries} entries`);
  }
  return { regions, bat, metadata, geometry, structures };
}

/** One copy by itself. @throws {VhdxError} when it is not as it should be. */
export function readRegionTableCopy(file: ByteFile, copy: Copy): Region[] {
  const bytes = new Uint8Array(REGION_TABLE_BYTES);
  file.read(REGION_TABLE_OFFSETS[copy], bytes);
  return decodeRegionTable(bytes, `region table ${copy + 1}`, REGION_TABLE_OFFSETS[copy]);
}

/** @throws {VhdxError} `unsupported` when the file is longer than any image. */
export function checkFileSize(file: ByteFile): void {
  if (file.size <= MAX_FILE_BYTES) return;
  throw new VhdxError('unsupported', 'file', file.size, `${file.size} bytes`, `at most ${MAX_FILE_BYTES}`);
}

/** @throws {VhdxError} when the log does not fit in the file. */
export function checkLogPlace(header: Header, fileSize: number): void {
  checkInside(logOf(header), fileSize);
}

/** The first copy that is whole. */
function readRegions(file: ByteFile): Region[] {
  const bytes = new Uint8Array(REGION_TABLE_BYTES);
  file.read(REGION_TABLE_OFFSETS[0], bytes);
  const isWhole = hasSignature(bytes, 0, 'regi') && hasRightChecksum(bytes);
  return readRegionTableCopy(file, isWhole ? 0 : 1);
}

function regionOf(regions: readonly Region[], guid: Guid, name: string): Region {
  const region = regions.find((one) => one.guid === guid);
  if (region === undefined) throw corrupt('region table', REGION_TABLE_OFFSETS[0], `no ${name}`, 'one');
  return region;
}

/** @throws {VhdxError} `unsupported` for a region that is required and not known. */
function structuresOf(header: Header, regions: readonly Region[]): Structure[] {
  const structures = [{ name: 'header section', offset: 0, length: MIB }, logOf(header)];
  for (const { guid, offset, length, isRequired } of regions) {
    const name = guid === BAT_REGION ? 'BAT' : guid === METADATA_REGION ? 'metadata region' : `region ${guid}`;
    if (isRequired && name.endsWith(guid)) {
      throw new VhdxError('unsupported', 'region table', REGION_TABLE_OFFSETS[0], `required ${name}`, 'a known region');
    }
    structures.push({ name, offset, length });
  }
  return structures;
}

function logOf({ logOffset, logLength }: Header): Structure {
  return { name: 'log', offset: logOffset, length: logLength };
}

function checkInside({ name, offset, length }: Structure, fileSize: number): void {
  if (offset + length > fileSize) {
    throw corrupt(name, offset, `${length} bytes`, `an end before that of the file, byte ${fileSize}`);
  }
}

function checkApart(structures: readonly Structure[]): void {
  const inOrder = [...structures].sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < inOrder.length; i++) {
    const [before, { name, offset, length }] = [inOrder[i - 1]!, inOrder[i]!];
    if (offset >= before.offset + before.length) continue;
    throw corrupt(name, offset, `${length} bytes over the ${before.name}`, 'room of its own');
  }
}

/**
 * Works out which parts of the file are taken, and tells every block that lies over something else or has no place in
 * the file.
 */
export function placeAll(
  { structures, metadata, bat, geometry }: Layout,
  map: BlockMap,
  fileSize: number,
  onMisplaced: (error: VhdxError) => void,
): RoomMap {
  const rooms = new RoomMap();
  for (const { offset, length } of structures.slice(1)) rooms.claim(offset / MIB, length / MIB);
  const blockMib = metadata.blockSize / MIB;
  for (let block = 0; block < map.blocks; block++) {
    const mib = map.mibOf(block);
    if (mib === 0 && !map.isPresent(block)) continue;
    const at = bat.offset + entryOfBlock(block, geometry.chunkRatio) * BAT_ENTRY_BYTES;
    const found = `offset ${mib} MiB`;
    // The last block may end with the disk: some writers leave the rest of it out of the file.
    const used = Math.min(metadata.blockSize, metadata.diskSize - block * metadata.blockSize);
    if (mib === 0 || mib * MIB + used > fileSize) {
      onMisplaced(corrupt(batEntryName(block), at, found, `${used} bytes between byte ${MIB} and ${fileSize}`));
    } else if (!rooms.claim(mib, blockMib)) {
      onMisplaced(corrupt(batEntryName(block), at, `${found}, which is taken`, 'room of its own'));
    }
  }
  return rooms;
}
