import { diskGeometry, sectorsPerCylinder } from './geometry.js';
import type { Partition, PartitionTable } from './partition-table.js';
import { isExtended, partitionTypeName } from './partition-type.js';

/**
 * What `fdisk -l` of RHEL 6 prints of a disk, in its default units: cylinders, and blocks of 1 KiB.
 *
 * `Blocks` ends with `+` when half a block is left over. Without a table there is a message in place of the list.
 * Source: util-linux-ng 2.17 fdisk/fdisk.c, `list_disk_geometry`, `list_table`.
 */
export function fdiskReport(path: string, diskSectors: number, table: PartitionTable | undefined): string {
  const geometry = diskGeometry(diskSectors);
  const unit = sectorsPerCylinder(geometry);
  const bytes = diskSectors * 512;
  const head = [
    '',
    `Disk ${path}: ${decimalSize(bytes)}, ${bytes} bytes`,
    `${geometry.heads} heads, ${geometry.sectorsPerTrack} sectors/track, ${geometry.cylinders} cylinders`,
    `Units = cylinders of ${unit} * 512 = ${unit * 512} bytes`,
    'Sector size (logical/physical): 512 bytes / 512 bytes',
    'I/O size (minimum/optimal): 512 bytes / 512 bytes',
    `Disk identifier: 0x${(table?.signature ?? 0).toString(16).padStart(8, '0')}`,
    '',
  ];
  if (table === undefined) return `${head.join('\n')}\nDisk ${path} doesn't contain a valid partition table\n`;
  return `${[...head, ...listOf(path, unit, table.partitions)].join('\n')}\n`;
}

function listOf(path: string, unit: number, partitions: readonly Partition[]): string[] {
  if (partitions.length === 0) return [];
  const width = Math.max(path.length + (/\d$/.test(path) ? 1 : 0), 5) + 1;
  const lines = [`${'Device'.padStart(width)} Boot      Start         End      Blocks   Id  System`];
  for (const partition of partitions) {
    lines.push(lineOf(path, width, unit, partition));
    if (endsInCylinder(partition, unit)) {
      lines.push(`Partition ${partition.number} does not end on cylinder boundary.`);
    }
  }
  return lines;
}

function lineOf(path: string, width: number, unit: number, partition: Partition): string {
  const { number, start, sectors, type } = partition;
  const columns = [
    String(cylinderOf(start, unit)),
    String(cylinderOf(start + sectors - (sectors > 0 ? 1 : 0), unit)),
    String(Math.floor(sectors / 2)),
  ].map((text) => text.padStart(11));
  const name = partitionPath(path, number).padEnd(width + 1);
  const odd = sectors % 2 === 1 ? '+' : ' ';
  const id = type.toString(16).padStart(2);
  return `${name}  ${partition.isActive ? '*' : ' '} ${columns.join(' ')}${odd}  ${id}  ${partitionTypeName(type)}`;
}

/** `/dev/sdb1`; with a `p` between when the disk's own name ends in a digit. */
export function partitionPath(disk: string, number: number): string {
  return `${disk}${/\d$/.test(disk) ? 'p' : ''}${number}`;
}

function cylinderOf(sector: number, unit: number): number {
  return Math.floor(sector / unit) + 1;
}

/** fdisk looks at the primary partitions that hold data. */
function endsInCylinder({ number, type, start, sectors }: Partition, unit: number): boolean {
  return number <= 4 && !isExtended(type) && (start + sectors) % unit !== 0;
}

/** Powers of ten, as disk makers count: MB below 10 GB. */
function decimalSize(bytes: number): string {
  const megabytes = Math.floor(bytes / 1_000_000);
  if (megabytes < 10_000) return `${megabytes} MB`;
  const tenths = Math.floor((megabytes + 50) / 100);
  return `${Math.floor(tenths / 10)}.${tenths % 10} GB`;
}
