import type { Task } from '@quorate/kernel';
import { FormatError } from '../format-error.js';
import { decodePartitionSector, isPartitionSector } from '../partitions/partition-sector.js';
import { PartitionType } from '../partitions/partition-type.js';
import { readSectors, SECTOR_BYTES, type SectorDevice, writeSectors } from '../sector-device.js';
import { VolumeError } from '../volume-error.js';
import { decodeMetadataText, type MetadataText } from './decode-group.js';
import { type DiskArea, decodeLabel, encodeLabel, hasLabelId, LABEL_SCAN_SECTORS, type PvLabel } from './label.js';
import type { MdaHeader } from './mda-header.js';
import { clearMetadata, isIgnored, readMdaHeader, readText } from './metadata-area.js';
import { isUuid } from './uuid.js';

/** What a device that is a physical volume says of itself. */
export interface FoundPhysicalVolume {
  readonly device: SectorDevice;
  readonly label: PvLabel;
  readonly areas: readonly FoundArea[];
}

/** A metadata area, with its text in force if it has one, or with what is wrong with it. */
export interface FoundArea {
  readonly area: DiskArea;
  readonly header?: MdaHeader;
  readonly metadata?: MetadataText;
  readonly defect?: FormatError;
  /** The text has the right checksum, but says what is not understood here: nobody may write over it. */
  readonly isIntact?: true;
}

/** Where LVM of RHEL 6 puts things: the metadata area fills what the first MiB leaves. In bytes. */
const METADATA_OFFSET = 4096;
const DATA_OFFSET = 1024 * 1024;
/** Smallest device, in sectors: `devices/pv_min_size` of 2 MiB. */
const MIN_SECTORS = 4096;

export interface PvCreateOptions {
  /** Identifier, from `newUuid`. */
  readonly uuid: string;
  /** Version of the header's extension: 1 (the default) as RHEL 6.5 and later write, 2 as LVM 2.02.165 and later do. */
  readonly extensionVersion?: 1 | 2;
  /** As `-ff`: also a physical volume that belongs to a group, or has a text that is not understood. Default false. */
  readonly isForced?: boolean;
}

/**
 * Makes a device a physical volume, as `pvcreate`: four sectors of zeros, an empty metadata area, and the label last.
 *
 * @throws {VolumeError} `in-use` for a physical volume of a group and for a disk with partitions, `no-space` below
 * 2 MiB, `io`. @throws {RangeError} for an identifier that is none.
 */
export function* pvCreate(device: SectorDevice, options: PvCreateOptions): Task<PvLabel> {
  if (!isUuid(options.uuid)) throw new RangeError(`uuid "${options.uuid}": expected 32 characters with dashes`);
  if (device.sectors < MIN_SECTORS) {
    throw new VolumeError('no-space', `${device.path} has ${device.sectors} sectors, expected at least ${MIN_SECTORS}`);
  }
  yield* refusePartitions(device);
  if (options.isForced !== true) yield* refuseInUse(device);
  const label: PvLabel = {
    sector: 1,
    uuid: options.uuid,
    deviceSize: device.sectors * SECTOR_BYTES,
    dataAreas: [{ offset: DATA_OFFSET, size: 0 }],
    metadataAreas: [{ offset: METADATA_OFFSET, size: DATA_OFFSET - METADATA_OFFSET }],
    extension: { version: options.extensionVersion ?? 1, flags: 0, bootloaderAreas: [] },
  };
  yield* writeSectors(device, 0, new Uint8Array(LABEL_SCAN_SECTORS * SECTOR_BYTES));
  yield* clearMetadata(device, label.metadataAreas[0]!);
  yield* writeLabel(device, label);
  return label;
}

function* refusePartitions(device: SectorDevice): Task {
  const first = yield* readSectors(device, 0, 1);
  if (
    isPartitionSector(first) &&
    decodePartitionSector(first).entries.some(({ type }) => type !== PartitionType.unused)
  ) {
    throw new VolumeError('in-use', `${device.path} has partitions`);
  }
}

function* refuseInUse(device: SectorDevice): Task {
  const owner = ownerOf(yield* readIfSound(device));
  if (owner === undefined) return;
  const why = `Can't initialize physical volume "${device.path}" of volume group "${owner}" without -ff`;
  throw new VolumeError('in-use', why);
}

/** Writes the label over the one that is there. */
export function* writeLabel(device: SectorDevice, label: PvLabel): Task {
  yield* writeSectors(device, label.sector, encodeLabel(label));
}

/**
 * Takes the label away, as `pvremove`.
 *
 * @throws {VolumeError} `not-found` when there is none, `in-use` for a physical volume of a group, `io`. @throws
 * {FormatError} when the label is damaged.
 */
export function* pvRemove(device: SectorDevice): Task {
  const found = yield* readPhysicalVolume(device);
  if (found === undefined) throw new VolumeError('not-found', `No PV label found on ${device.path}.`);
  const owner = ownerOf(found);
  if (owner !== undefined) {
    throw new VolumeError('in-use', `PV ${device.path} belongs to Volume Group ${owner} so please use vgreduce first.`);
  }
  yield* writeSectors(device, found.label.sector, new Uint8Array(SECTOR_BYTES));
}

/**
 * Reads the label of a device and all its metadata areas. Undefined when no label begins in the first four sectors.
 *
 * @throws {FormatError} when the label itself is damaged; what is wrong with an area is its `defect`. @throws
 * {VolumeError} `io`
 */
export function* readPhysicalVolume(device: SectorDevice): Task<FoundPhysicalVolume | undefined> {
  const label = yield* readLabel(device);
  if (label === undefined) return undefined;
  const areas: FoundArea[] = [];
  for (const area of label.metadataAreas) areas.push(yield* readArea(device, area));
  return { device, label, areas };
}

function* readLabel(device: SectorDevice): Task<PvLabel | undefined> {
  const count = Math.min(LABEL_SCAN_SECTORS, device.sectors);
  const sectors = yield* readSectors(device, 0, count);
  for (let i = 0; i < count; i++) {
    const sector = sectors.subarray(i * SECTOR_BYTES, (i + 1) * SECTOR_BYTES);
    if (hasLabelId(sector)) return decodeLabel(sector, i);
  }
  return undefined;
}

function* readArea(device: SectorDevice, area: DiskArea): Task<FoundArea> {
  let found: FoundArea = { area };
  try {
    const header = yield* readMdaHeader(device, area);
    found = { area, header };
    if (isIgnored(header) || header.committed.offset === 0) return found;
    const { text, offsetOf } = yield* readText(device, area, header.committed);
    found = { area, header, isIntact: true };
    return { area, header, metadata: decodeMetadataText(text, offsetOf) };
  } catch (defect) {
    if (!(defect instanceof FormatError)) throw defect;
    return { ...found, defect };
  }
}

/** A damaged label keeps nobody from writing a new one. */
function* readIfSound(device: SectorDevice): Task<FoundPhysicalVolume | undefined> {
  try {
    return yield* readPhysicalVolume(device);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Name of the group that has a text on the physical volume; `unknown` for a text that is not understood. */
export function ownerOf(found: FoundPhysicalVolume | undefined): string | undefined {
  for (const { metadata, isIntact } of found?.areas ?? []) {
    if (metadata !== undefined) return metadata.group.name;
    if (isIntact === true) return 'unknown';
  }
  return undefined;
}
