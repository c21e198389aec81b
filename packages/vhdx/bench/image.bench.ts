import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Prng } from '@quorate/kernel';
import type { ByteFile } from '@quorate/scsi';
import { NodeFile } from '@quorate/scsi/node';
import { afterAll, bench, describe } from 'vitest';
import { openVhdx, type VhdxImage } from '../src/index.js';
import { createVhdxFile } from '../src/node/index.js';

const MIB = 1024 * 1024;
const DISK_BYTES = 256 * MIB;
const RANDOM_OPERATIONS = 1000;
const PIECE = new Uint8Array(256 * 1024).fill(0x5a);

const directory = mkdtempSync(`${tmpdir()}/vhdx-bench-`);
afterAll(() => rmSync(directory, { recursive: true }));

/** Bytes by offset, as the raw file and the image both have them. */
interface Disk {
  readonly name: string;
  read(offset: number, into: Uint8Array): void;
  write(offset: number, bytes: Uint8Array): void;
  flush(): void;
}

function rawDisk(): Disk {
  const file: ByteFile = new NodeFile(`${directory}/raw`, { isNew: true });
  return {
    name: 'raw file',
    read: (offset, into) => file.read(offset, into),
    write: (offset, bytes) => file.write(offset, bytes),
    flush: () => file.flush(),
  };
}

function imageDisk(kind: 'fixed' | 'dynamic'): Disk {
  const path = `${directory}/${kind}.vhdx`;
  createVhdxFile(path, { size: DISK_BYTES, kind });
  const prng = Prng.derive({ hi: 0, lo: 1 }, 'bench');
  const random = (into: Uint8Array): void => {
    for (let i = 0; i < into.length; i++) into[i] = prng.below(256);
  };
  const image: VhdxImage = openVhdx(new NodeFile(path), { random });
  return {
    name: `${kind} image`,
    read: (offset, into) => image.read(offset / 512, into.length / 512, into),
    write: (offset, bytes) => image.write(offset / 512, bytes),
    flush: () => image.flush(),
  };
}

/** Every disk written once, so that no first touch is timed. */
const disks = [rawDisk(), imageDisk('fixed'), imageDisk('dynamic')];
const check = new Uint8Array(PIECE.length);
for (const disk of disks) {
  for (let at = 0; at < DISK_BYTES; at += PIECE.length) disk.write(at, PIECE);
  disk.flush();
  disk.read(DISK_BYTES - PIECE.length, check);
  if (check.some((byte) => byte !== 0x5a)) throw new Error(`${disk.name} lost what was written`);
}

const prng = Prng.derive({ hi: 0, lo: 2 }, 'places');
const places = Array.from({ length: RANDOM_OPERATIONS }, () => prng.below(DISK_BYTES / 4096) * 4096);
const block = new Uint8Array(4096).fill(0x5a);

describe(`${RANDOM_OPERATIONS} random reads of 4 KiB per iteration`, () => {
  for (const disk of disks) {
    bench(disk.name, () => {
      for (const offset of places) disk.read(offset, block);
    });
  }
});

describe(`${RANDOM_OPERATIONS} random writes of 4 KiB and a flush per iteration`, () => {
  for (const disk of disks) {
    bench(disk.name, () => {
      for (const offset of places) disk.write(offset, block);
      disk.flush();
    });
  }
});

describe('32 MiB read in order, 256 KiB each, per iteration', () => {
  for (const disk of disks) {
    bench(disk.name, () => {
      for (let at = 0; at < 32 * MIB; at += PIECE.length) disk.read(at, PIECE);
    });
  }
});

describe('32 MiB written in order, 256 KiB each, and a flush per iteration', () => {
  for (const disk of disks) {
    bench(disk.name, () => {
      for (let at = 0; at < 32 * MIB; at += PIECE.length) disk.write(at, PIECE);
      disk.flush();
    });
  }
});

describe('64 new blocks of 1 MiB, 4 KiB written in each, and a flush per iteration', () => {
  let number = 0;
  bench('dynamic image', () => {
    const path = `${directory}/new-${number++}.vhdx`;
    createVhdxFile(path, { size: DISK_BYTES, blockSize: MIB });
    const file = new NodeFile(path);
    const image = openVhdx(file, { random: (into) => into.fill(number) });
    for (let i = 0; i < 64; i++) image.write(i * 2048, block);
    image.flush();
    file.close();
    rmSync(path);
  });
});
