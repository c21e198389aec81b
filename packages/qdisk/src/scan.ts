import { type Errno, formatCtime, isErrno, type Task } from '@quorate/kernel';
import { HEADER_SECTOR, quorumDiskBytes } from './block.js';
import { decodeHeader, HEADER_MAGIC, HEADER_VERSION, type QuorumHeader } from './quorum-header.js';

/** A block device as mkqdisk and qdiskd see it when they look for a label. */
export interface BlockDevice {
  /** All its names; the first is the one that a scan returns: `/dev/block/8:33`, `/dev/sdc1`. */
  readonly paths: readonly string[];
  /** Logical sector size in bytes. */
  readonly sectorSize: number;
  readonly sectors: number;
  /** Something is built on it (partitions in use, device mapper) or it belongs to a soft RAID: a scan skips it. */
  readonly isHeld: boolean;
  /** One whole sector; the bytes are lent until the next yield. */
  readSector(sector: number): Task<Uint8Array | Errno>;
  /** One whole sector, on the medium when it returns. */
  writeSector(sector: number, bytes: Uint8Array): Task<Errno | undefined>;
}

export interface LabelledDevice {
  readonly device: BlockDevice;
  readonly header: QuorumHeader;
}

/** Whether the device reaches to the end of the last slot; mkqdisk and qdiskd open no smaller one. */
export function isLargeEnough(device: BlockDevice): boolean {
  return device.sectors * device.sectorSize >= quorumDiskBytes(device.sectorSize);
}

/**
 * The devices that carry a quorum disk header, with that label if one is given, in the order of `devices`.
 *
 * A header that records another sector size than the device has does not count.
 * Source: cluster.git cman/qdisk/proc.c, `filter_devs`, `check_device`.
 */
export function* scanQuorumDisks(devices: readonly BlockDevice[], label?: string): Task<readonly LabelledDevice[]> {
  const found: LabelledDevice[] = [];
  for (const device of devices) {
    if (device.isHeld || !isLargeEnough(device)) continue;
    const header = yield* readHeader(device);
    if (header === undefined || header.magic !== HEADER_MAGIC) continue;
    if (header.version === HEADER_VERSION && header.sectorSize !== device.sectorSize) continue;
    if (label === undefined || header.label === label) found.push({ device, header });
  }
  return found;
}

/** The quorum disk of a cluster. */
export interface QuorumDisk {
  /** The name under which it is registered with cman, unless `cman_label` replaces it. */
  readonly path: string;
  readonly device: BlockDevice;
  /** How many devices carry the label; more than one is worth a warning. */
  readonly matches: number;
}

/**
 * The quorum disk that `quorumd` names: by its label, of which the first path of the first device counts, else by its
 * device. In qdiskd's words why there is none, when there is none.
 *
 * Source: cluster.git cman/qdisk/main.c, `main`.
 */
export function* findQuorumDisk(
  devices: readonly BlockDevice[],
  { label, device: path }: { readonly label?: string; readonly device?: string },
): Task<QuorumDisk | string> {
  if (label !== undefined) return yield* findLabel(devices, label);
  if (path === undefined) return 'No device or label specified';
  const device = devices.find((each) => each.paths.includes(path));
  const header = device !== undefined && isLargeEnough(device) ? yield* readHeader(device) : undefined;
  if (device === undefined || header?.magic !== HEADER_MAGIC) {
    return `Specified partition ${path} does not have a qdisk label`;
  }
  if (header.version === HEADER_VERSION && header.sectorSize !== device.sectorSize) {
    const sizes = `${header.sectorSize} != ${device.sectorSize}`;
    return `Specified device ${path} does not match kernel's reported sector size (${sizes})`;
  }
  return { path, device, matches: 1 };
}

function* findLabel(devices: readonly BlockDevice[], label: string): Task<QuorumDisk | string> {
  const found = yield* scanQuorumDisks(devices, label);
  const device = found[0]?.device;
  const path = device?.paths[0];
  if (device === undefined || path === undefined) return `Unable to match label '${label}' to any device`;
  return { path, device, matches: found.length };
}

/** The header of a device, of either magic; undefined when there is none or it cannot be read. */
export function* readHeader(device: BlockDevice): Task<QuorumHeader | undefined> {
  const sector = yield* device.readSector(HEADER_SECTOR);
  if (isErrno(sector)) return undefined;
  const header = decodeHeader(sector);
  return typeof header === 'string' ? undefined : header;
}

/** What `mkqdisk -L` prints of one device. */
export function labelText({ device, header }: LabelledDevice): string {
  const lines = [
    ...device.paths.map((path) => `${path}:`),
    `\tMagic:                ${header.magic.toString(16).padStart(8, '0')}`,
    `\tLabel:                ${header.label}`,
    `\tCreated:              ${formatCtime(header.created)}`,
    `\tHost:                 ${header.host}`,
    `\tKernel Sector Size:   ${device.sectorSize}`,
  ];
  if (header.version === HEADER_VERSION) lines.push(`\tRecorded Sector Size: ${header.sectorSize}`, '');
  return `${lines.join('\n')}\n`;
}
