import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SparseStore } from '@quorate/scsi';

/** Calls back with the name of a sparse file of that size, which is gone afterwards. */
export function withFile<T>(bytes: number, use: (file: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'volumes-'));
  try {
    const file = join(directory, 'disk.img');
    const fd = openSync(file, 'w');
    ftruncateSync(fd, bytes);
    closeSync(fd);
    return use(file);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Copies what a store holds into a file. */
export function storeToFile(store: SparseStore, file: string): void {
  const fd = openSync(file, 'r+');
  for (const { offset, bytes } of store.pages()) writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
}

/** Copies runs of sectors of a file into a store. */
export function fileToStore(file: string, store: SparseStore, runs: readonly (readonly [number, number])[]): void {
  const fd = openSync(file, 'r');
  for (const [sector, sectors] of runs) {
    const bytes = new Uint8Array(sectors * 512);
    readSync(fd, bytes, 0, bytes.length, sector * 512);
    store.write(sector, bytes);
  }
  closeSync(fd);
}

export function diskOf(bytes: number): SparseStore {
  return new SparseStore({ blocks: bytes / 512 });
}
