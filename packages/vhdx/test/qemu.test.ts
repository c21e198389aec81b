import { readFileSync } from 'node:fs';
import { bytesEqual } from '@quorate/kernel';
import { NodeFile } from '@quorate/scsi/node';
import { describe, expect } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { checkVhdx } from '../src/index.js';
import { CrashFile } from './crash-file.js';
import { bytesOf, content, MIB, newImage, open, openReadOnly, pattern } from './images.js';
import { itWithQemu, run, succeed } from './oracle.js';

/** In MiB: every block size that the format has, or the ends and the usual one. */
const BLOCK_SIZES = isThorough ? [1, 2, 4, 8, 16, 32, 64, 128, 256] : [1, 32, 256];
/** Places of an image of 20 MiB and one sector that are worth writing: borders of blocks, the start and the end. */
const SIZE = 20 * MIB + 512;
const WRITES = [
  [0, 512],
  [MIB - 512, 1024],
  [7 * MIB + 4096, 3 * MIB],
  [16 * MIB - 65_536, 131_072],
  [SIZE - 512, 512],
] as const;

function fileOf<T>(path: string, isReadOnly: boolean, use: (file: NodeFile) => T): T {
  const file = new NodeFile(path, { isReadOnly });
  try {
    return use(file);
  } finally {
    file.close();
  }
}

function made(path: string, options: Parameters<typeof newImage>[0]): void {
  const file = new NodeFile(path, { isNew: true });
  try {
    newImage(options, file);
  } finally {
    file.close();
  }
}

/** Writes the patterns through our own image, and gives what the disk then holds. */
function written(path: string): Uint8Array {
  return fileOf(path, false, (file) => {
    const image = open(file);
    for (const [offset, length] of WRITES) image.write(offset / 512, pattern(offset, length));
    const bytes = content(image);
    image.close();
    // QEMU leaves gaps of its own between the structures.
    expect(checkVhdx(file).filter(({ severity }) => severity !== 'leak')).toEqual([]);
    return bytes;
  });
}

describe('images made here', () => {
  for (const kind of ['dynamic', 'fixed'] as const) {
    for (const blockMib of BLOCK_SIZES) {
      itWithQemu(`${kind}, blocks of ${blockMib} MiB: qemu-img finds no error and the same content`, (directory) => {
        const path = `${directory}/disk.vhdx`;
        made(path, { size: SIZE, kind, blockSize: blockMib * MIB });
        const bytes = written(path);
        expect(run('qemu-img', 'check', '-f', 'vhdx', path)).toMatchObject({ status: 0 });
        succeed('qemu-img', 'convert', '-f', 'vhdx', '-O', 'raw', path, `${directory}/disk.raw`);
        expect(bytesEqual(readFileSync(`${directory}/disk.raw`), bytes)).toBe(true);
        const compared = succeed('qemu-img', 'compare', '-f', 'vhdx', '-F', 'raw', path, `${directory}/disk.raw`);
        expect(compared).toContain('identical');
      });
    }
  }

  itWithQemu('qemu-img info says size and block size', (directory) => {
    const path = `${directory}/disk.vhdx`;
    made(path, { size: 100 * 1024 * MIB, blockSize: 32 * MIB });
    const info = JSON.parse(succeed('qemu-img', 'info', '--output=json', path)) as Record<string, unknown>;
    expect(info).toMatchObject({ format: 'vhdx', 'virtual-size': 100 * 1024 * MIB, 'cluster-size': 32 * MIB });
  });

  itWithQemu('QEMU writes into one, and what it wrote is read here', (directory) => {
    const path = `${directory}/disk.vhdx`;
    made(path, { size: 16 * MIB });
    succeed('qemu-io', '-f', 'vhdx', '-c', 'write -P 0x5a 3M 64k', '-c', 'write -P 0xa5 12M 512', path);
    fileOf(path, true, (file) => {
      expect(checkVhdx(file)).toEqual([]);
      const bytes = content(openReadOnly(file));
      expect(bytes.subarray(3 * MIB, 3 * MIB + 65_536).every((byte) => byte === 0x5a)).toBe(true);
      expect(bytes.subarray(12 * MIB, 12 * MIB + 512).every((byte) => byte === 0xa5)).toBe(true);
      expect(bytes.filter((byte) => byte !== 0)).toHaveLength(65_536 + 512);
    });
  });
});

describe('a log that waits', () => {
  /** An image as a crash leaves it: its log holds the BAT entries that are not yet in place. */
  function crashed(path: string): Uint8Array {
    const file = new CrashFile(newImage({ size: 16 * MIB }));
    const image = open(file);
    for (const offset of [0, 3 * MIB + 512, 9 * MIB]) image.write(offset / 512, pattern(offset, MIB));
    image.flush();
    const bytes = content(image);
    const left = file.afterPrefix(0);
    fileOf(path, false, (target) => {
      target.resize(0);
      target.write(0, bytesOf(left));
    });
    return bytes;
  }

  itWithQemu('QEMU refuses it to read only, replays it, and then has the same content', (directory) => {
    const path = `${directory}/disk.vhdx`;
    new NodeFile(path, { isNew: true }).close();
    const bytes = crashed(path);
    fileOf(path, true, (file) => {
      expect(checkVhdx(file).map(({ severity, structure }) => [severity, structure])).toEqual([['warning', 'log']]);
      const image = openReadOnly(file);
      expect(bytesEqual(content(image), bytes)).toBe(true);
      expect(image.info.isLogEmpty).toBe(false);
    });
    expect(run('qemu-img', 'check', '-f', 'vhdx', path).text).toContain('log that needs to be replayed');
    succeed('qemu-img', 'check', '-f', 'vhdx', '-r', 'all', path);
    succeed('qemu-img', 'convert', '-f', 'vhdx', '-O', 'raw', path, `${directory}/disk.raw`);
    expect(bytesEqual(readFileSync(`${directory}/disk.raw`), bytes)).toBe(true);
    fileOf(path, true, (file) => expect(openReadOnly(file).info.isLogEmpty).toBe(true));
  });

  itWithQemu('replayed here, QEMU finds nothing to do', (directory) => {
    const path = `${directory}/disk.vhdx`;
    new NodeFile(path, { isNew: true }).close();
    const bytes = crashed(path);
    fileOf(path, false, (file) => open(file).close());
    expect(run('qemu-img', 'check', '-f', 'vhdx', path)).toMatchObject({ status: 0 });
    succeed('qemu-img', 'convert', '-f', 'vhdx', '-O', 'raw', path, `${directory}/disk.raw`);
    expect(bytesEqual(readFileSync(`${directory}/disk.raw`), bytes)).toBe(true);
  });
});

describe('resized images', () => {
  for (const kind of ['dynamic', 'fixed'] as const) {
    itWithQemu(`${kind}: QEMU sees the new size and the same content`, (directory) => {
      const path = `${directory}/disk.vhdx`;
      made(path, { size: 5 * MIB, kind });
      const bytes = fileOf(path, false, (file) => {
        const image = open(file);
        image.write(100, pattern(1, 4 * MIB));
        image.resize(12 * MIB + 512);
        image.write(12 * 2048, pattern(2, 512));
        image.close();
        return content(image);
      });
      expect(run('qemu-img', 'check', '-f', 'vhdx', path)).toMatchObject({ status: 0 });
      succeed('qemu-img', 'convert', '-f', 'vhdx', '-O', 'raw', path, `${directory}/disk.raw`);
      expect(bytesEqual(readFileSync(`${directory}/disk.raw`), bytes)).toBe(true);
    });
  }

  itWithQemu('a BAT that moved', (directory) => {
    const path = `${directory}/disk.vhdx`;
    made(path, { size: 5 * MIB });
    fileOf(path, false, (file) => {
      const image = open(file);
      image.write(100, pattern(1, MIB));
      image.resize(200_000 * MIB);
      image.write(image.blocks - 1, pattern(2, 512));
      image.close();
    });
    const read = (offset: string, length: string): string => {
      const raw = `${directory}/part.raw`;
      succeed(
        'qemu-img',
        'dd',
        '-f',
        'vhdx',
        '-O',
        'raw',
        'bs=512',
        `skip=${offset}`,
        `count=${length}`,
        `if=${path}`,
        `of=${raw}`,
      );
      return raw;
    };
    expect(run('qemu-img', 'check', '-f', 'vhdx', path)).toMatchObject({ status: 0 });
    const last = 200_000 * 2048 - 1;
    expect(new Uint8Array(readFileSync(read(`${last}`, `${last + 1}`)))).toEqual(pattern(2, 512));
  });
});

describe('images made by qemu-img', () => {
  for (const subformat of ['dynamic', 'fixed']) {
    for (const blockMib of BLOCK_SIZES) {
      for (const zero of blockMib === 1 || blockMib === 16 ? ['on', 'off'] : ['on']) {
        const options = `subformat=${subformat},block_size=${blockMib}M,block_state_zero=${zero}`;
        itWithQemu(`${options}: read and written here`, (directory) => {
          const path = `${directory}/disk.vhdx`;
          succeed('qemu-img', 'create', '-q', '-f', 'vhdx', '-o', options, path, `${SIZE}`);
          succeed('qemu-io', '-f', 'vhdx', '-c', 'write -P 0x77 5M 1M', path);
          fileOf(path, true, (file) => {
            const bytes = content(openReadOnly(file));
            expect(bytes.subarray(5 * MIB, 6 * MIB).every((byte) => byte === 0x77)).toBe(true);
            expect(bytes.indexOf(0x77)).toBe(5 * MIB);
            expect(bytes.lastIndexOf(0x77)).toBe(6 * MIB - 1);
          });
          const bytes = written(path);
          expect(run('qemu-img', 'check', '-f', 'vhdx', path)).toMatchObject({ status: 0 });
          succeed('qemu-img', 'convert', '-f', 'vhdx', '-O', 'raw', path, `${directory}/disk.raw`);
          expect(bytesEqual(readFileSync(`${directory}/disk.raw`), bytes)).toBe(true);
        });
      }
    }
  }
});
