import { ConfigError } from '@quorate/kernel';
import type { ByteFile } from '@quorate/scsi';
import { BlockMap } from './block-map.js';
import { BAT_ENTRY_BYTES, type BatGeometry, BlockState, batGeometry, entryCount } from './format/bat.js';
import { encodeFileIdentifier } from './format/file-identifier.js';
import { encodeHeader, HEADER_OFFSETS } from './format/header.js';
import { BLOCK_SIZES, encodeMetadata, isBlockSize, isDiskSize } from './format/metadata.js';
import { BAT_REGION, encodeRegionTable, METADATA_REGION, REGION_TABLE_OFFSETS } from './format/region-table.js';
import { NIL_GUID, newGuid, type RandomBytes } from './guid.js';
import { MIB, mibOf } from './units.js';

export interface CreateOptions {
  /** Of the virtual disk, in bytes: a multiple of the logical sector size, at most 64 TiB. */
  readonly size: number;
  /** `fixed`: all blocks have their place from the start. `dynamic` (the default): a block gets one when it is written. */
  readonly kind?: 'fixed' | 'dynamic';
  /** In bytes: a power of two from 1 MiB to 256 MiB, default 32 MiB as Hyper-V has it. */
  readonly blockSize?: number;
  /** 512 (the default) or 4096. */
  readonly logicalSectorSize?: number;
  /** 512 or 4096 (the default). */
  readonly physicalSectorSize?: number;
  /** In bytes: a multiple of 1 MiB below 4 GiB, default 1 MiB. */
  readonly logSize?: number;
  /** For the GUIDs of the image, the virtual disk id among them. */
  readonly random: RandomBytes;
}

const DEFAULT_BLOCK_SIZE = 32 * MIB;

/** Written into the file for whoever wonders where it comes from. */
const CREATOR = 'Quorate';

/**
 * Makes a new image in an empty file: headers, log, metadata, BAT, then the payload blocks.
 *
 * The headers are written last: a crash leaves a file without any, which nobody takes for an image.
 *
 * @throws {ConfigError} when an option is not as the format wants it, or when the file is not empty.
 */
export function createVhdx(file: ByteFile, options: CreateOptions): void {
  const { size, kind, blockSize, logicalSectorSize, physicalSectorSize, logSize, random } = checked(file, options);
  const geometry = batGeometry(size, blockSize, logicalSectorSize);
  const metadataOffset = MIB + logSize;
  const bat = { offset: metadataOffset + MIB, length: mibOf(entryCount(geometry) * BAT_ENTRY_BYTES) * MIB };
  const payloadOffset = bat.offset + bat.length;
  const isFixed = kind === 'fixed';
  const regions = [
    { guid: BAT_REGION, ...bat, isRequired: true },
    { guid: METADATA_REGION, offset: metadataOffset, length: MIB, isRequired: true },
  ];
  file.resize(payloadOffset + (isFixed ? geometry.blocks * blockSize : 0));
  file.write(0, encodeFileIdentifier(CREATOR));
  for (const offset of REGION_TABLE_OFFSETS) file.write(offset, encodeRegionTable(regions));
  const diskId = newGuid(random);
  file.write(
    metadataOffset,
    encodeMetadata({ blockSize, isFixed, diskSize: size, diskId, logicalSectorSize, physicalSectorSize }),
  );
  if (isFixed) fixedMap(geometry, payloadOffset / MIB, blockSize / MIB).writeTo(file, bat.offset);
  file.flush();
  const header = {
    fileWriteGuid: newGuid(random),
    dataWriteGuid: newGuid(random),
    logGuid: NIL_GUID,
    logOffset: MIB,
    logLength: logSize,
  };
  HEADER_OFFSETS.forEach((offset, i) => {
    file.write(offset, encodeHeader({ ...header, sequence: BigInt(i + 1) }));
  });
  file.flush();
}

/** All blocks one after the other. */
function fixedMap(geometry: BatGeometry, firstMib: number, blockMib: number): BlockMap {
  const map = new BlockMap(geometry);
  for (let block = 0; block < map.blocks; block++) map.set(block, BlockState.fullyPresent, firstMib + block * blockMib);
  return map;
}

function checked(file: ByteFile, options: CreateOptions): Required<CreateOptions> {
  const all = {
    kind: 'dynamic',
    blockSize: DEFAULT_BLOCK_SIZE,
    logicalSectorSize: 512,
    physicalSectorSize: 4096,
    logSize: MIB,
    ...options,
  } as const;
  const refuse = (path: string, value: string | number, expected: string): never => {
    throw new ConfigError(path, `${value}`, expected);
  };
  const isSectorSize = (bytes: number): boolean => bytes === 512 || bytes === 4096;
  if (all.kind !== 'fixed' && all.kind !== 'dynamic') refuse('/kind', all.kind, 'fixed or dynamic');
  if (!isBlockSize(all.blockSize)) refuse('/blockSize', all.blockSize, BLOCK_SIZES);
  if (!isSectorSize(all.logicalSectorSize)) refuse('/logicalSectorSize', all.logicalSectorSize, '512 or 4096');
  if (!isSectorSize(all.physicalSectorSize)) refuse('/physicalSectorSize', all.physicalSectorSize, '512 or 4096');
  if (!isDiskSize(all.size, all.logicalSectorSize)) {
    refuse('/size', all.size, `a multiple of ${all.logicalSectorSize} up to 64 TiB`);
  }
  if (!(all.logSize > 0 && all.logSize < 4096 * MIB && all.logSize % MIB === 0)) {
    refuse('/logSize', all.logSize, 'a multiple of 1 MiB below 4 GiB');
  }
  if (file.size > 0) refuse('/file', `${file.size} bytes`, 'an empty file');
  return all;
}
