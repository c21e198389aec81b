import { fromHex, hex } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batGeometry, blockOfEntry, entryCount, entryOfBlock } from '../src/format/bat.js';
import { encodeFileIdentifier, readFileIdentifier } from '../src/format/file-identifier.js';
import { decodeHeader, encodeHeader } from '../src/format/header.js';
import { encodeMetadata, readMetadata } from '../src/format/metadata.js';
import { decodeRegionTable, encodeRegionTable, METADATA_REGION } from '../src/format/region-table.js';
import { newGuid, readGuid, writeGuid } from '../src/guid.js';
import { VhdxError } from '../src/index.js';
import { MIB } from './images.js';
import { PageFile } from './page-file.js';

const guid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => readGuid(bytes, 0));
const mib = fc.integer({ min: 1, max: 2 ** 27 }).map((n) => n * MIB);

describe('GUIDs', () => {
  it('the first three fields are little-endian on disk', () => {
    const bytes = new Uint8Array(16);
    writeGuid(bytes, 0, '2DC27766-F623-4200-9D64-115E9BFD4A08');
    expect(hex(bytes)).toBe('6677c22d23f600429d64115e9bfd4a08');
    expect(readGuid(bytes, 0)).toBe('2dc27766-f623-4200-9d64-115e9bfd4a08');
  });

  it('one that is made of nothing is still none of the nil kind', () => {
    expect(newGuid(() => {})).toBe('00000000-0000-4000-8000-000000000000');
  });

  it('what is none is refused', () => {
    expect(() => writeGuid(new Uint8Array(16), 0, 'BAT')).toThrow(RangeError);
  });
});

describe('what is written is read', () => {
  it('file type identifier', () => {
    const file = new PageFile();
    file.write(0, encodeFileIdentifier('Quorate ✓'));
    expect(readFileIdentifier(file)).toBe('Quorate ✓');
  });

  it('header', () => {
    const header = fc.record({
      sequence: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fileWriteGuid: guid,
      dataWriteGuid: guid,
      logGuid: guid,
      logLength: fc.integer({ min: 1, max: 4095 }).map((n) => n * MIB),
      logOffset: mib,
    });
    fc.assert(
      fc.property(header, (one) => {
        expect(decodeHeader(encodeHeader(one), 'header 1', 0)).toEqual(one);
      }),
    );
  });

  it('region table', () => {
    const region = fc.record({
      guid,
      offset: mib,
      length: fc.integer({ min: 1, max: 4095 }).map((n) => n * MIB),
      isRequired: fc.boolean(),
    });
    const regions = fc.uniqueArray(region, { selector: (one) => one.guid, maxLength: 30 });
    fc.assert(
      fc.property(regions, (all) => {
        expect(decodeRegionTable(encodeRegionTable(all), 'region table 1', 0)).toEqual(all);
      }),
      { numRuns: 30 },
    );
  });

  it('metadata', () => {
    const sector = fc.constantFrom(512, 4096);
    const metadata = fc.record({
      blockSize: fc.nat(8).map((n) => MIB * 2 ** n),
      isFixed: fc.boolean(),
      diskSize: fc.integer({ min: 1, max: 2 ** 34 }).map((n) => n * 4096),
      diskId: guid,
      logicalSectorSize: sector,
      physicalSectorSize: sector,
    });
    fc.assert(
      fc.property(metadata, (one) => {
        const file = new PageFile();
        file.write(2 * MIB, encodeMetadata(one));
        const region = { guid: METADATA_REGION, offset: 2 * MIB, length: MIB, isRequired: true };
        expect(readMetadata(file, region)).toEqual({ ...one, diskSizeOffset: 2 * MIB + 65_544 });
      }),
    );
  });

  it('arbitrary bytes are refused with an error of this package', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4096, maxLength: 4096 }), (bytes) => {
        expect(() => decodeHeader(bytes, 'header 1', 65_536)).toThrow(VhdxError);
        bytes.set(fromHex('72656769'));
        expect(() => decodeRegionTable(bytes, 'region table 1', 196_608)).toThrow(VhdxError);
      }),
    );
  });
});

describe('BAT', () => {
  it.each([
    // disk          block       sector  blocks  ratio  entries
    [64 * MIB, MIB, 512, 64, 4096, 64],
    [4096 * MIB, MIB, 512, 4096, 4096, 4096],
    [4097 * MIB, MIB, 512, 4097, 4096, 4098],
    [100 * 1024 * MIB, 32 * MIB, 512, 3200, 128, 3224],
    [100 * 1024 * MIB, 32 * MIB, 4096, 3200, 1024, 3203],
    [64 * 1024 ** 4, 256 * MIB, 512, 262_144, 16, 278_527],
    [MIB + 512, MIB, 512, 2, 4096, 2],
  ])(
    'a disk of %i bytes in blocks of %i, sectors of %i',
    (size, blockSize, sectorSize, blocks, chunkRatio, entries) => {
      const geometry = batGeometry(size, blockSize, sectorSize);
      expect(geometry).toEqual({ blocks, chunkRatio });
      expect(entryCount(geometry)).toBe(entries);
    },
  );

  it('every entry is that of one block, or of a sector bitmap', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 26), fc.constantFrom(16, 128, 4096, 32_768), (block, ratio) => {
        const entry = entryOfBlock(block, ratio);
        expect(blockOfEntry(entry, ratio)).toBe(block);
        if (block % ratio === ratio - 1) expect(blockOfEntry(entry + 1, ratio)).toBe(-1);
      }),
    );
  });
});
