import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SparseStore } from '@quorate/scsi';
import { NodeFile } from '@quorate/scsi/node';
import { checkVhdx } from '@quorate/vhdx';
import { openVhdxFile } from '@quorate/vhdx/node';
import { afterAll, expect, it } from 'vitest';
import { createImages } from '../src/disk/disk-directory.js';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-images-'));
afterAll(() => rmSync(folder, { recursive: true }));

const BLOCK = new Uint8Array(512).fill(0x5a);

it("a run's disks become images that have their content, and what the run writes", () => {
  const image = new SparseStore({ blocks: 200_000 });
  image.write(150_000, BLOCK);
  const directory = join(folder, 'new', 'images');
  const { stores, close } = createImages(directory, [{ lun: 3, name: 'storage', serial: 'S1', image }]);
  stores.get(3)!.write(7, BLOCK);
  close();
  const path = join(directory, 'storage.vhdx');
  const file = new NodeFile(path, { isReadOnly: true });
  expect(checkVhdx(file)).toEqual([]);
  file.close();
  const opened = openVhdxFile(path, { isReadOnly: true });
  expect(opened.image.blocks).toBe(200_000);
  const found = [7, 8, 150_000].map((lba) => {
    const block = new Uint8Array(512);
    opened.image.read(lba, 1, block);
    return block[0];
  });
  opened.close();
  expect(found).toEqual([0x5a, 0, 0x5a]);
});

it('a disk whose image cannot be made leaves none open', () => {
  const image = new SparseStore({ blocks: 8 });
  const directory = join(folder, 'twice');
  const twice = [0, 1].map((lun) => ({ lun, name: 'same', serial: `S${lun}`, image }));
  expect(() => createImages(directory, twice)).toThrow('same.vhdx: EEXIST');
  openVhdxFile(join(directory, 'same.vhdx')).close();
});

it('the story overwrites no image', async () => {
  createImages(join(folder, 'old'), [
    { lun: 0, name: 'disk', serial: 'S1', image: new SparseStore({ blocks: 8 }) },
  ]).close();
  const io = capturedIo();
  expect(await runCommand(['story', '--disk-dir', join(folder, 'old')], io)).toBe(4);
  expect(io.stderr.text).toBe(
    `quorate: --disk-dir: found ${join(folder, 'old', 'disk.vhdx')}, expected a directory without images\n`,
  );
});
