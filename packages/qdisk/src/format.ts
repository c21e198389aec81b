import { HEADER_SECTOR, isSectorSize, MAX_NODES_DISK, statusSector } from './block.js';
import { encodeHeader, HEADER_MAGIC, HEADER_VERSION } from './quorum-header.js';
import { blankStatus, encodeStatus } from './status-block.js';

export interface FormatOptions {
  readonly label: string;
  /** Name of the machine that formats, as the header shows it. */
  readonly host: string;
  /** Seconds since 1970. */
  readonly wall: number;
  /** Logical sector size of the device; 512 when absent. */
  readonly sectorSize?: number;
}

export interface FormattedSector {
  /** In units of the device's sector size. */
  readonly sector: number;
  /** The node whose status block it is; 0 for the quorum header. */
  readonly nodeId: number;
  /** One whole sector; valid until the next one is asked for. */
  readonly bytes: Uint8Array;
}

/**
 * The sectors that `mkqdisk -c` writes, in its order: the quorum header, then the status blocks of nodes 1 to 16.
 *
 * Source: cluster.git cman/qdisk/disk.c, `qdisk_init`. Where the original leaves stack garbage behind the names, these are zero.
 *
 * @throws {RangeError} when the sector size is none that a quorum disk can have.
 */
export function* formattedSectors(options: FormatOptions): Generator<FormattedSector, void, void> {
  const { label, host, wall, sectorSize = 512 } = options;
  if (!isSectorSize(sectorSize)) throw new RangeError(`sector size ${sectorSize}: expected a power of two from 512`);
  const created = Math.floor(wall);
  const bytes = new Uint8Array(sectorSize);
  encodeHeader(bytes, { magic: HEADER_MAGIC, version: HEADER_VERSION, created, host, label, sectorSize });
  yield { sector: HEADER_SECTOR, nodeId: 0, bytes };
  for (let nodeId = 1; nodeId <= MAX_NODES_DISK; nodeId++) {
    encodeStatus(bytes, blankStatus(nodeId, created));
    yield { sector: statusSector(nodeId, sectorSize), nodeId, bytes };
  }
}

/** Formats a quorum disk in one go. `writeSector` gets whole sectors that are valid during the call only. */
export function formatQuorumDisk(
  options: FormatOptions,
  writeSector: (sector: number, bytes: Uint8Array) => void,
): void {
  for (const { sector, bytes } of formattedSectors(options)) writeSector(sector, bytes);
}
