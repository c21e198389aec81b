import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { checkVhdx } from '../src/index.js';
import { content, MIB, open, openReadOnly, sectors } from './images.js';
import { PageFile } from './page-file.js';

/** An image of QEMU as it was recorded: see data/README.txt. */
function recorded(name: string): PageFile {
  const file = new PageFile();
  file.write(0, gunzipSync(readFileSync(new URL(`data/${name}.vhdx.gz`, import.meta.url))));
  return file;
}

it.each([
  // name          kind       size      blocks present
  [
    'qemu-dynamic',
    'dynamic',
    4 * MIB,
    4,
    2,
    [
      [0, 4096, 0x11],
      [2600 * 1024, 512, 0x22],
    ],
  ],
  ['qemu-fixed', 'fixed', 3 * MIB, 3, 3, [[MIB, 65_536, 0x33]]],
] as const)('%s is read, and written', (name, kind, size, payloadBlocks, presentBlocks, runs) => {
  const file = recorded(name);
  expect(checkVhdx(file).filter(({ severity }) => severity !== 'leak')).toEqual([]);
  const image = openReadOnly(file);
  expect(image.info).toMatchObject({ kind, size, payloadBlocks, presentBlocks, blockSize: MIB, isLogEmpty: true });
  expect(image.info.creator).toMatch(/^QEMU v7\.2/);
  const expected = new Uint8Array(size);
  for (const [offset, length, fill] of runs) expected.fill(fill, offset, offset + length);
  expect(Buffer.compare(content(image), expected)).toBe(0);
  const writable = open(file);
  writable.write(1, sectors(0x44));
  writable.close();
  expected.fill(0x44, 512, 1024);
  expect(Buffer.compare(content(openReadOnly(file)), expected)).toBe(0);
});
