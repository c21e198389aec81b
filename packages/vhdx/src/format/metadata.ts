import { getU64, setU64, viewOf } from '@quorate/kernel';
import type { ByteFile } from '@quorate/scsi';
import { type Guid, readGuid, writeGuid } from '../guid.js';
import { MIB } from '../units.js';
import { corrupt, VhdxError } from '../vhdx-error.js';
import type { Region } from './region-table.js';
import { checkSignature, putSignature } from './signature.js';

const SIGNATURE = 'metadata';
const TABLE_BYTES = 64 * 1024;
const ENTRIES_OFFSET = 32;
const ENTRY_BYTES = 32;
const MAX_ENTRIES = 2047;

const IS_USER = 1;
const IS_REQUIRED = 4;

const LEAVE_BLOCKS_ALLOCATED = 1;
const HAS_PARENT = 2;

/** The largest virtual disk that the format allows: 64 TiB. */
const MAX_DISK_BYTES: number = 64 * 1024 ** 4;

/** The items that every image has, in the order in which they are written: where, how long, and their flags. */
const ITEMS = {
  fileParameters: { guid: 'caa16737-fa36-4d43-b3b6-33f0aa44e76b', name: 'file parameters', at: 0, length: 8, flags: 4 },
  diskSize: { guid: '2fa54224-cd1b-4876-b211-5dbed83bf4b8', name: 'virtual disk size', at: 8, length: 8, flags: 6 },
  diskId: { guid: 'beca12ab-b2e6-4523-93ef-c309e000c746', name: 'virtual disk id', at: 16, length: 16, flags: 6 },
  logicalSectorSize: {
    guid: '8141bf1d-a96f-4709-ba47-f233a8faab5f',
    name: 'logical sector size',
    at: 32,
    length: 4,
    flags: 6,
  },
  physicalSectorSize: {
    guid: 'cda348c7-445d-4471-9cc9-e9885251c556',
    name: 'physical sector size',
    at: 36,
    length: 4,
    flags: 6,
  },
} as const;

type Item = (typeof ITEMS)[keyof typeof ITEMS];

const PARENT_LOCATOR: Guid = 'a8d35f2d-b30b-454d-abf7-d3d84834ab0c';

/**
 * What the metadata region says. Little-endian, 64 KiB of table and then the items.
 *
 * offset size field of the table
 *      0    8 signature `metadata`
 *     10    2 count     at most 2047
 *     32      entries of 32 bytes:
 *      0   16 item GUID
 *     16    4 offset    from the start of the region, at least 64 KiB
 *     20    4 length
 *     24    4 flags     bit 0 user, 1 virtual disk, 2 required
 *
 * item                 size content
 * file parameters         8 u32 block size; u32 bit 0 leave blocks allocated (fixed), bit 1 has parent
 * virtual disk size       8 bytes
 * virtual disk id        16 GUID, "page 83 data"
 * logical sector size     4 512 or 4096
 * physical sector size    4 512 or 4096
 *
 * Source: MS-VHDX 2.6.
 */
export interface Metadata {
  /** In bytes: a power of two from 1 MiB to 256 MiB. */
  readonly blockSize: number;
  /** `LeaveBlocksAllocated`: a fixed image. */
  readonly isFixed: boolean;
  /** In bytes. */
  readonly diskSize: number;
  readonly diskId: Guid;
  readonly logicalSectorSize: number;
  readonly physicalSectorSize: number;
  /** Where in the file the virtual disk size stands. */
  readonly diskSizeOffset: number;
}

/** The used start of the metadata region: the table and the five items, 68 KiB. */
export function encodeMetadata(metadata: Omit<Metadata, 'diskSizeOffset'>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(TABLE_BYTES + 4096);
  const view = viewOf(bytes);
  putSignature(bytes, 0, SIGNATURE);
  view.setUint16(10, Object.keys(ITEMS).length, true);
  Object.values(ITEMS).forEach(({ guid, at, length, flags }, i) => {
    const entry = ENTRIES_OFFSET + i * ENTRY_BYTES;
    writeGuid(bytes, entry, guid);
    view.setUint32(entry + 16, TABLE_BYTES + at, true);
    view.setUint32(entry + 20, length, true);
    view.setUint32(entry + 24, flags, true);
  });
  view.setUint32(TABLE_BYTES, metadata.blockSize, true);
  view.setUint32(TABLE_BYTES + 4, metadata.isFixed ? LEAVE_BLOCKS_ALLOCATED : 0, true);
  setU64(view, TABLE_BYTES + ITEMS.diskSize.at, metadata.diskSize, true);
  writeGuid(bytes, TABLE_BYTES + ITEMS.diskId.at, metadata.diskId);
  view.setUint32(TABLE_BYTES + ITEMS.logicalSectorSize.at, metadata.logicalSectorSize, true);
  view.setUint32(TABLE_BYTES + ITEMS.physicalSectorSize.at, metadata.physicalSectorSize, true);
  return bytes;
}

/**
 * Reads the table and the items that every image has.
 *
 * @throws {VhdxError} when the table or an item breaks the format; `unsupported` for an item that is required and not
 * known, and for a differencing image.
 */
export function readMetadata(file: ByteFile, region: Region): Metadata {
  const entries = readTable(file, region);
  const item = (wanted: Item): { view: DataView; bytes: Uint8Array; offset: number } => {
    const entry = entries.get(wanted.guid);
    if (entry === undefined) throw corrupt('metadata table', region.offset, `no ${wanted.name}`, 'one');
    if (entry.length !== wanted.length) {
      throw corrupt(wanted.name, entry.offset, `${entry.length} bytes`, `${wanted.length}`);
    }
    const bytes = new Uint8Array(wanted.length);
    file.read(entry.offset, bytes);
    return { view: viewOf(bytes), bytes, offset: entry.offset };
  };
  const parameters = item(ITEMS.fileParameters);
  const flags = parameters.view.getUint32(4, true);
  if ((flags & HAS_PARENT) !== 0) {
    throw new VhdxError('unsupported', 'file parameters', parameters.offset + 4, 'HasParent', 'no differencing image');
  }
  const blockSize = parameters.view.getUint32(0, true);
  if (!isBlockSize(blockSize)) {
    throw corrupt('file parameters', parameters.offset, `block size ${blockSize}`, BLOCK_SIZES);
  }
  const logicalSectorSize = sectorSize(item(ITEMS.logicalSectorSize), ITEMS.logicalSectorSize);
  const physicalSectorSize = sectorSize(item(ITEMS.physicalSectorSize), ITEMS.physicalSectorSize);
  const size = item(ITEMS.diskSize);
  const diskSize = getU64(size.view, 0, true);
  if (!isDiskSize(diskSize, logicalSectorSize)) {
    throw corrupt('virtual disk size', size.offset, `${diskSize}`, `a multiple of ${logicalSectorSize} up to 64 TiB`);
  }
  return {
    blockSize,
    isFixed: (flags & LEAVE_BLOCKS_ALLOCATED) !== 0,
    diskSize,
    diskId: readGuid(item(ITEMS.diskId).bytes, 0),
    logicalSectorSize,
    physicalSectorSize,
    diskSizeOffset: size.offset,
  };
}

export const BLOCK_SIZES = 'a power of two from 1 MiB to 256 MiB';

export function isBlockSize(bytes: number): boolean {
  return bytes >= MIB && bytes <= 256 * MIB && Number.isInteger(Math.log2(bytes));
}

export function isDiskSize(bytes: number, logicalSectorSize: number): boolean {
  return bytes > 0 && bytes <= MAX_DISK_BYTES && bytes % logicalSectorSize === 0;
}

interface Entry {
  /** In the file. */
  readonly offset: number;
  readonly length: number;
}

/** Entries of system items by GUID. */
function readTable(file: ByteFile, region: Region): Map<Guid, Entry> {
  const bytes = new Uint8Array(TABLE_BYTES);
  file.read(region.offset, bytes);
  checkSignature(bytes, SIGNATURE, 'metadata table', region.offset);
  const view = viewOf(bytes);
  const count = view.getUint16(10, true);
  if (count > MAX_ENTRIES) {
    throw corrupt('metadata table', region.offset + 10, `${count} entries`, `at most ${MAX_ENTRIES}`);
  }
  const known = new Set<Guid>([...Object.values(ITEMS).map(({ guid }) => guid), PARENT_LOCATOR]);
  const entries = new Map<Guid, Entry>();
  for (let i = 0; i < count; i++) {
    const at = ENTRIES_OFFSET + i * ENTRY_BYTES;
    const guid = readGuid(bytes, at);
    const offset = view.getUint32(at + 16, true);
    const length = view.getUint32(at + 20, true);
    const flags = view.getUint32(at + 24, true);
    checkPlace(offset, length, region, region.offset + at);
    const isSystem = (flags & IS_USER) === 0;
    if ((flags & IS_REQUIRED) !== 0 && !(isSystem && known.has(guid))) {
      throw new VhdxError('unsupported', 'metadata table', region.offset + at, `required item ${guid}`, 'a known item');
    }
    if (!isSystem) continue;
    if (entries.has(guid)) throw corrupt('metadata table', region.offset + at, `${guid} twice`, 'every item once');
    entries.set(guid, { offset: region.offset + offset, length });
  }
  return entries;
}

function checkPlace(offset: number, length: number, region: Region, at: number): void {
  if (length === 0 && offset === 0) return;
  if (length > MIB) throw corrupt('metadata table', at + 20, `item length ${length}`, 'at most 1 MiB');
  if (offset < TABLE_BYTES || offset + length > region.length) {
    const found = `item at ${offset} + ${length}`;
    throw corrupt('metadata table', at + 16, found, `${TABLE_BYTES} to ${region.length}`);
  }
}

function sectorSize({ view, offset }: { view: DataView; offset: number }, { name }: Item): number {
  const bytes = view.getUint32(0, true);
  if (bytes !== 512 && bytes !== 4096) throw corrupt(name, offset, `${bytes}`, '512 or 4096');
  return bytes;
}
