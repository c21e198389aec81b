import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type AptplRecord, decodeAptpl, encodeAptpl, type LogicalUnitConfig, StoreError } from '@quorate/scsi';
import { naming } from '../disk/disk-image.js';

/** Persistent reservations of the unit on that image, kept beside it in `<image>.aptpl` (APTPL). */
export function aptplOf(image: string, isReadOnly: boolean): Pick<LogicalUnitConfig, 'aptpl' | 'saveAptpl'> {
  const path = `${image}.aptpl`;
  const kept = naming(path, () => (existsSync(path) ? { aptpl: decodeAptpl(readFileSync(path)) } : {}));
  return isReadOnly ? kept : { ...kept, saveAptpl: (record) => save(path, record) };
}

/** It is on disk when this returns: the new file takes the place of the old one at once. */
function save(path: string, record: AptplRecord): void {
  const next = `${path}.new`;
  try {
    durably(next, 'w', (descriptor) => writeSync(descriptor, encodeAptpl(record)));
    renameSync(next, path);
    durably(dirname(path), 'r', () => {});
  } catch (cause) {
    throw new StoreError('unwritable', 0, `${path}: ${(cause as Error).message}`, { cause });
  }
}

function durably(path: string, flags: string, work: (descriptor: number) => void): void {
  const descriptor = openSync(path, flags);
  try {
    work(descriptor);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
