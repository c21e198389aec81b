import { baseName } from '../files.js';
import type { FoundDisk } from './scsi-scan.js';

/** What the kernel logs of a disk that a host brings. Source: Linux drivers/scsi/scsi_scan.c, sd.c, 2.6.32. */
export function diskLines(host: number, path: string, { lun, inquiry, capacity }: FoundDisk): readonly string[] {
  const address = `${host}:0:0:${lun}`;
  const { vendor, product, revision, qualifier, version } = inquiry;
  const names = `${vendor.padEnd(8)} ${product.padEnd(16)} ${revision.padEnd(4)}`;
  // The kernel counts ANSI versions up to SCSI-2 as they are, later ones one less.
  const level = version > 2 ? version - 1 : version;
  const { blocks, blockLength } = capacity;
  const bytes = blocks * blockLength;
  const size = `${sizeText(bytes, 1000, DECIMAL)}/${sizeText(bytes, 1024, BINARY)}`;
  const disk = `sd ${address}: [${baseName(path)}]`;
  return [
    `scsi ${address}: Direct-Access     ${names} PQ: ${qualifier} ANSI: ${level}`,
    `${disk} ${blocks} ${blockLength}-byte logical blocks: (${size})`,
    `${disk} Attached SCSI disk`,
  ];
}

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB'];
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Three digits that matter and a unit, cut off rather than rounded: `8.38 MB`. */
function sizeText(bytes: number, base: number, units: readonly string[]): string {
  let size = bytes;
  let unit = 0;
  while (size >= base && unit < units.length - 1) {
    size /= base;
    unit += 1;
  }
  const decimals = unit === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const cut = Math.floor(size * 10 ** decimals) / 10 ** decimals;
  return `${cut.toFixed(decimals)} ${units[unit]}`;
}
