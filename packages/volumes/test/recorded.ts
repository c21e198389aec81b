import { readFileSync } from 'node:fs';
import { fromHex } from '@quorate/kernel';

function read(name: string): string {
  return readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8');
}

function sectorOf(name: string): Uint8Array<ArrayBuffer> {
  const sector = new Uint8Array(512);
  sector.set(fromHex(read(name)));
  return sector;
}

/** What LVM 2.03.16 wrote: see data/README.txt. */
export const recorded = {
  label: sectorOf('label.hex'),
  mdaHeader: sectorOf('mda-header.hex'),
  metadata: read('metadata.txt'),
  backup: read('backup.txt'),
};
