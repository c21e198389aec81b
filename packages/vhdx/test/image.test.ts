import { bytesEqual } from '@quorate/kernel';
import { type ByteFile, MemoryFile, StoreError } from '@quorate/scsi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkVhdx, createVhdx, openVhdx, type VhdxImage } from '../src/index.js';
import { content, MIB, newImage, open, openReadOnly, pattern, random, sectors, seeded } from './images.js';

/** A file that fails when it is told to. */
class FailingFile extends MemoryFile {
  fails: 'write' | 'flush' | 'read' | undefined;

  override read(offset: number, into: Uint8Array): void {
    if (this.fails === 'read') throw new StoreError('unreadable', offset, 'EIO');
    super.read(offset, into);
  }

  override write(offset: number, bytes: Uint8Array): void {
    if (this.fails === 'write') throw new StoreError('no-space', offset, 'ENOSPC');
    super.write(offset, bytes);
  }

  override flush(): void {
    if (this.fails === 'flush') throw new StoreError('unwritable', 0, 'EIO');
  }
}

function failureOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof StoreError) return `${error.failure} at ${error.offset}`;
    throw error;
  }
  return 'none';
}

describe('a new image', () => {
  it.each([
    ['dynamic', 512, 4096],
    ['dynamic', 4096, 4096],
    ['fixed', 512, 512],
    ['fixed', 4096, 4096],
  ] as const)('%s, %i/%i bytes a sector: reads as zeros and holds what is written', (kind, logical, physical) => {
    const file = newImage({ size: 5 * MIB + 4096, kind, logicalSectorSize: logical, physicalSectorSize: physical });
    const image = open(file);
    expect(image.blockLength).toBe(logical);
    expect(image.blocks).toBe((5 * MIB + 4096) / logical);
    expect(content(image).every((byte) => byte === 0)).toBe(true);
    const bytes = pattern(1, 3 * MIB);
    image.write(MIB / logical - 1, bytes);
    image.close();
    const read = content(openReadOnly(file));
    expect(bytesEqual(read.subarray(MIB - logical, 4 * MIB - logical), bytes)).toBe(true);
    expect(read.subarray(0, MIB - logical).every((byte) => byte === 0)).toBe(true);
    expect(checkVhdx(file)).toEqual([]);
  });

  it('says what it is', () => {
    const file = newImage({ size: 100 * 1024 * MIB, blockSize: 32 * MIB, random: seeded('info') });
    const { info } = openReadOnly(file);
    expect(info).toMatchObject({
      kind: 'dynamic',
      creator: 'Quorate',
      size: 107_374_182_400,
      fileSize: 4 * MIB,
      blockSize: 33_554_432,
      logicalSectorSize: 512,
      physicalSectorSize: 4096,
      payloadBlocks: 3200,
      presentBlocks: 0,
      headerSequence: 2n,
      isLogEmpty: true,
    });
    expect(info.naa).toBe(`60022480${info.diskId.replaceAll('-', '').slice(8)}`);
  });

  it('the same random bytes make the same file', () => {
    const files = [0, 1].map(() => newImage({ random: seeded('same') }));
    const [first, second] = files.map((file) => {
      const bytes = new Uint8Array(file.size);
      file.read(0, bytes);
      return bytes;
    });
    expect(bytesEqual(first!, second!)).toBe(true);
  });

  it.each([
    ['/size', { size: 0 }],
    ['/size', { size: 513 }],
    ['/size', { size: 64 * 1024 ** 4 + 512 }],
    ['/size', { size: 512, logicalSectorSize: 4096 }],
    ['/blockSize', { blockSize: 3 * MIB }],
    ['/blockSize', { blockSize: 512 * MIB }],
    ['/logicalSectorSize', { logicalSectorSize: 520 }],
    ['/physicalSectorSize', { physicalSectorSize: 8192 }],
    ['/logSize', { logSize: 4096 }],
    ['/kind', { kind: 'differencing' as 'fixed' }],
  ])('%s is refused for %o', (path, options) => {
    expect(() => newImage(options)).toThrow(expect.objectContaining({ name: 'ConfigError', path }));
  });

  it('a file with content is not overwritten', () => {
    const file = new MemoryFile();
    file.write(0, sectors(1));
    expect(() => createVhdx(file, { size: MIB, random })).toThrow('/file');
  });
});

describe('as a store', () => {
  it('agrees with an array on writes, unmaps, flushes and opening again', () => {
    const size = 5 * MIB + 512;
    const blocks = size / 512;
    const step = fc.record({
      what: fc.constantFrom('write', 'write', 'unmap', 'flush', 'reopen'),
      lba: fc.nat(blocks - 1),
      blocks: fc.integer({ min: 1, max: 5000 }),
      fill: fc.nat(255),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const file = newImage({ size });
        const plain = new Uint8Array(size);
        let image = open(file);
        for (const { what, lba, blocks: wanted, fill } of steps) {
          const count = Math.min(wanted, blocks - lba);
          if (what === 'write') image.write(lba, sectors(fill, count));
          if (what === 'unmap') image.unmap!(lba, count);
          if (what === 'write') plain.fill(fill, lba * 512, (lba + count) * 512);
          if (what === 'unmap') plain.fill(0, lba * 512, (lba + count) * 512);
          if (what === 'flush') image.flush();
          if (what === 'reopen') {
            image.close();
            image = open(file);
          }
          expect(bytesEqual(content(image), plain)).toBe(true);
        }
        const paged = new Uint8Array(size);
        for (const page of image.pages()) paged.set(page.bytes, page.offset);
        expect(bytesEqual(paged, plain)).toBe(true);
        image.close();
        expect(checkVhdx(file).filter(({ severity }) => severity !== 'leak')).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('tells which blocks have room', () => {
    const image = open(newImage({ size: 8 * MIB }));
    image.write(2 * 2048 + 5, sectors(1, 2048));
    expect(image.extentAt(0)).toEqual({ isMapped: false, blocks: 4096 });
    expect(image.extentAt(4100)).toEqual({ isMapped: true, blocks: 4096 - 4 });
    expect(image.extentAt(8192)).toEqual({ isMapped: false, blocks: 8192 });
    expect(image.mappedBlocks).toBe(4096);
    image.unmap!(4096, 2048);
    expect(image.mappedBlocks).toBe(2048);
    image.resize(8 * MIB + 512);
    image.write(8 * 2048, sectors(1, 1));
    expect(image.mappedBlocks).toBe(2048 + 1);
    image.resize(8 * MIB, { isDiscarding: true });
    expect(image.mappedBlocks).toBe(2048);
  });

  it('a fixed image is no thin unit', () => {
    const image = open(newImage({ kind: 'fixed' }));
    expect(image.unmap).toBeUndefined();
    expect(image.extentAt(0)).toEqual({ isMapped: true, blocks: image.blocks });
    expect(image.mappedBlocks).toBe(image.blocks);
  });

  it('room that was given back is used again, and reads as zero around what is written', () => {
    const file = newImage({ size: 8 * MIB });
    const image = open(file);
    image.write(0, sectors(0xff, 2 * 2048));
    image.flush();
    const { fileSize } = image.info;
    image.unmap!(0, 2048);
    image.flush();
    image.write(5 * 2048 + 10, sectors(1));
    expect(image.info.fileSize).toBe(fileSize);
    const bytes = sectors(0xee, 2048);
    image.read(5 * 2048, 2048, bytes);
    expect(bytes.filter((byte) => byte !== 0)).toHaveLength(512);
    image.unmap!(2048, 2048);
    image.close();
    expect(file.size).toBe(fileSize - MIB);
  });

  it('a range outside, a short buffer and half a block are the caller’s bugs', () => {
    const image = open(newImage());
    expect(() => image.read(image.blocks, 1, sectors(0))).toThrow(RangeError);
    expect(() => image.read(0, 2, sectors(0))).toThrow(RangeError);
    expect(() => image.write(-1, sectors(0))).toThrow(RangeError);
    expect(() => image.write(0, new Uint8Array(100))).toThrow(RangeError);
    expect(() => image.unmap!(1, image.blocks)).toThrow(RangeError);
  });

  it('opening and closing without a write leaves the file as it is', () => {
    const file = newImage();
    const before = content(openReadOnly(file));
    const { headerSequence } = openReadOnly(file).info;
    const image = open(file);
    image.flush();
    image.close();
    expect(openReadOnly(file).info.headerSequence).toBe(headerSequence);
    expect(bytesEqual(content(openReadOnly(file)), before)).toBe(true);
  });

  it('the first write changes both GUIDs that say so', () => {
    const file = newImage();
    const before = openReadOnly(file).info;
    const image = open(file);
    image.write(0, sectors(1));
    image.close();
    const after = openReadOnly(file).info;
    expect(after.fileWriteGuid).not.toBe(before.fileWriteGuid);
    expect(after.dataWriteGuid).not.toBe(before.dataWriteGuid);
    expect(after.diskId).toBe(before.diskId);
  });
});

describe('what the file refuses', () => {
  function failing(): { file: FailingFile; image: VhdxImage } {
    const file = new FailingFile();
    newImage({ size: 8 * MIB }, file);
    const image = open(file);
    image.write(0, sectors(1));
    image.flush();
    return { file, image };
  }

  it('a write without space fails where it is in the disk, and can be tried again', () => {
    const { file, image } = failing();
    file.fails = 'write';
    expect(failureOf(() => image.write(2048, sectors(2)))).toBe(`no-space at ${MIB}`);
    expect(image.info.presentBlocks).toBe(1);
    file.fails = undefined;
    image.write(2048, sectors(2));
    image.close();
    expect(checkVhdx(file)).toEqual([]);
  });

  it('a read error is one of the disk’s sector', () => {
    const { file, image } = failing();
    file.fails = 'read';
    expect(failureOf(() => image.read(3, 1, sectors(0)))).toBe('unreadable at 1536');
    expect(failureOf(() => image.read(2048, 1, sectors(0)))).toBe('none');
  });

  it('after a flush that failed nothing more is written', () => {
    const { file, image } = failing();
    image.write(0, sectors(3));
    file.fails = 'flush';
    expect(failureOf(() => image.flush())).toBe('unwritable at 0');
    file.fails = undefined;
    expect(failureOf(() => image.write(5, sectors(3)))).toBe('unwritable at 2560');
    expect(failureOf(() => image.flush())).toBe('unwritable at 0');
  });

  it('an image that is read only or closed is not written', () => {
    const file: ByteFile = newImage();
    const image = openReadOnly(file);
    expect(image.isReadOnly).toBe(true);
    expect(failureOf(() => image.write(1, sectors(0)))).toBe('unwritable at 512');
    const other = open(file);
    other.close();
    expect(failureOf(() => other.write(1, sectors(0)))).toBe('unwritable at 512');
    const readOnly = new (class extends MemoryFile {
      override readonly isReadOnly = true as false;
    })();
    expect(() => openVhdx(readOnly, { random })).toThrow(RangeError);
  });
});

describe('resize', () => {
  it.each(['dynamic', 'fixed'] as const)(
    '%s: what was beyond the end reads as zero, what was before it stays',
    (kind) => {
      const file = newImage({ size: 3 * MIB + 512, kind });
      const image = open(file);
      image.write(0, sectors(7, image.blocks));
      image.resize(2 * MIB + 512, { isDiscarding: true });
      expect(image.blocks).toBe(2 * 2048 + 1);
      image.resize(9 * MIB);
      const bytes = content(image);
      expect(bytes.subarray(0, 2 * MIB + 512).every((byte) => byte === 7)).toBe(true);
      expect(bytes.subarray(2 * MIB + 512).every((byte) => byte === 0)).toBe(true);
      image.write(9 * 2048 - 1, sectors(8));
      image.close();
      expect(checkVhdx(file)).toEqual([]);
      expect(content(openReadOnly(file)).lastIndexOf(8)).toBe(9 * MIB - 1);
    },
  );

  it('a BAT that is too small moves, and its room is used again', () => {
    const file = newImage({ size: MIB });
    const image = open(file);
    image.write(0, sectors(1));
    image.resize(256 * 1024 * MIB);
    expect(image.info).toMatchObject({ payloadBlocks: 2 ** 18, presentBlocks: 1 });
    image.write(image.blocks - 1, sectors(2));
    image.close();
    const again = openReadOnly(file);
    const bytes = sectors(0);
    again.read(again.blocks - 1, 1, bytes);
    expect(bytes).toEqual(sectors(2));
    expect(checkVhdx(file)).toEqual([]);
  });

  it('loses no data unless it is told to', () => {
    const image = open(newImage({ size: 8 * MIB }));
    image.write(5 * 2048, sectors(1));
    image.resize(6 * MIB);
    expect(() => image.resize(5 * MIB)).toThrow('block 5 in use');
    expect(() => image.resize(5 * MIB + 512)).toThrow('block 5 in use');
    expect(() => image.resize(100)).toThrow('/size');
    image.resize(5 * MIB, { isDiscarding: true });
    expect(image.info).toMatchObject({ size: 5 * MIB, presentBlocks: 0 });
  });
});
