import { asciiBytes } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DiskArea,
  decodeLabel,
  decodeMdaHeader,
  encodeLabel,
  encodeMdaHeader,
  FormatError,
  newUuid,
  type PvLabel,
  type RawLocation,
} from '../src/index.js';
import { lvmChecksum } from '../src/lvm/checksum.js';
import { dashed, isUuid, undashed } from '../src/lvm/uuid.js';
import { TestMachine } from './machine.js';
import { recorded } from './recorded.js';

const AREA = { offset: 4096, size: 1_044_480 };
const LABEL: PvLabel = {
  sector: 1,
  uuid: '6BBa2L-KQ7d-3zh5-2Kre-dxY0-uLNR-C3BWw0',
  deviceSize: 64 * 1024 * 1024,
  dataAreas: [{ offset: 1_048_576, size: 0 }],
  metadataAreas: [AREA],
  extension: { version: 2, flags: 1, bootloaderAreas: [] },
};

/** A change of some bytes whose checksum is right again. */
function resealed(sector: Uint8Array, checksumAt: number, from: number, at: number, bytes: readonly number[]) {
  const changed = sector.slice();
  changed.set(bytes, at);
  new DataView(changed.buffer).setUint32(checksumAt, lvmChecksum(changed.subarray(from)), true);
  return changed;
}

describe('the checksum', () => {
  it.each([
    ['', 0xf597a6cf],
    ['a', 0x319b1949],
  ])('of %j', (text, checksum) => {
    expect(lvmChecksum(asciiBytes(text)).toString(16)).toBe(checksum.toString(16));
  });

  it('goes over parts as over the whole', () => {
    const bytes = asciiBytes('physical_volumes');
    expect(lvmChecksum(bytes.subarray(0, 5), bytes.subarray(5))).toBe(lvmChecksum(bytes));
  });
});

describe('identifiers', () => {
  it('are 32 characters in groups, and differ', () => {
    const { prng } = new TestMachine([]);
    const uuids = Array.from({ length: 100 }, () => newUuid(prng));
    expect(uuids.every(isUuid)).toBe(true);
    expect(new Set(uuids).size).toBe(100);
    expect(dashed(undashed(uuids[0]!))).toBe(uuids[0]);
  });

  it.each(['', 'a', 'x'.repeat(38), '6BBa2L-KQ7d-3zh5-2Kre-dxY0-uLNR-C3BW_0'])('%j is none', (text) => {
    expect(isUuid(text)).toBe(false);
  });
});

describe('label and pv_header', () => {
  it('the recorded sector decodes, and encodes to itself', () => {
    expect(decodeLabel(recorded.label, 1)).toEqual({ ...LABEL, uuid: decodeLabel(recorded.label, 1).uuid });
    expect(encodeLabel(decodeLabel(recorded.label, 1))).toEqual(recorded.label);
  });

  it('what RHEL 6.4 wrote has no extension', () => {
    const { extension: _, ...old } = LABEL;
    expect(decodeLabel(encodeLabel(old), 1)).toEqual(old);
  });

  const area = fc.record({ offset: fc.integer({ min: 512, max: 2 ** 50 }), size: fc.nat(2 ** 31 - 1) });
  const areas = (maxLength: number) => fc.array(area, { maxLength });
  const extension = fc.record({ version: fc.integer({ min: 1, max: 9 }), flags: fc.nat(), bootloaderAreas: areas(2) });
  it('any label decodes to what was encoded', () => {
    const label = fc.record({
      sector: fc.nat(3),
      uuid: fc.constant(LABEL.uuid),
      deviceSize: fc.nat(Number.MAX_SAFE_INTEGER),
      dataAreas: areas(3),
      metadataAreas: areas(3),
      extension,
    });
    fc.assert(fc.property(label, (each) => void expect(decodeLabel(encodeLabel(each), each.sector)).toEqual(each)));
  });

  const label = recorded.label;
  it.each([
    ['another id', Uint8Array.from(label, (b, i) => (i === 0 ? 0x58 : b)), 1, 'label_header', 512, 'id "XABELONE"'],
    ['another sector', label, 2, 'label_header', 1024, 'it says sector 1, expected 2'],
    ['a changed byte', Uint8Array.from(label, (b, i) => (i === 300 ? 1 : b)), 1, 'label_header', 512, 'crc 0x'],
    ['a short sector', label.subarray(0, 100), 1, 'label_header', 512, '100 bytes, expected 512'],
    ['another type', resealed(label, 16, 20, 28, [0x31]), 1, 'label_header', 512, 'type "LVM21001"'],
    ['a pv_header elsewhere', resealed(label, 16, 20, 20, [40]), 1, 'label_header', 512, 'the pv_header at 40'],
    ['an identifier that is none', resealed(label, 16, 20, 32, [0]), 1, 'pv_header', 544, 'pv_uuid "\\u0000'],
    [
      'a list without end',
      resealed(label, 16, 20, 72, Array(440).fill(1)),
      1,
      'pv_header',
      512 + 72,
      'an area behind byte 2^53',
    ],
    [
      'a list that fills the sector',
      resealed(
        label,
        16,
        20,
        72,
        Array.from({ length: 440 }, (_, i) => (i % 8 === 1 ? 1 : 0)),
      ),
      1,
      'pv_header',
      512 + 504,
      'the list of areas has no end in the sector',
    ],
  ] as const)('%s is refused', (_, sector, at, structure, offset, why) => {
    const decode = () => decodeLabel(sector, at);
    expect(decode).toThrow(FormatError);
    expect(decode).toThrow(`${structure} at byte ${offset}: ${why}`);
  });
});

describe('mda_header', () => {
  it('the recorded sector decodes, and encodes to itself', () => {
    const header = decodeMdaHeader(recorded.mdaHeader, AREA);
    expect(header.committed).toEqual({ offset: 6656, size: 1718, checksum: 0x2f781720, flags: 0 });
    expect(lvmChecksum(asciiBytes(`${recorded.metadata}\0`))).toBe(header.committed.checksum);
    expect(encodeMdaHeader(header)).toEqual(recorded.mdaHeader);
  });

  const place: fc.Arbitrary<RawLocation> = fc.record({
    offset: fc.integer({ min: 512, max: AREA.size - 1 }),
    size: fc.integer({ min: 1, max: AREA.size - 512 }),
    checksum: fc.nat(0xffffffff),
    flags: fc.nat(0xffffffff),
  });
  it('any header decodes to what was encoded', () => {
    fc.assert(
      fc.property(place, place, (committed, precommitted) => {
        const header = { area: AREA, committed, precommitted };
        expect(decodeMdaHeader(encodeMdaHeader(header), AREA)).toEqual(header);
      }),
    );
  });

  const header = recorded.mdaHeader;
  const u64 = (value: number) => [...new Uint8Array(new BigUint64Array([BigInt(value)]).buffer)];
  it.each([
    ['a short sector', header.subarray(0, 511), AREA, '511 bytes, expected 512'],
    ['a changed byte', Uint8Array.from(header, (b, i) => (i === 511 ? 1 : b)), AREA, 'checksum 0x'],
    ['another magic', resealed(header, 0, 4, 4, [0x21]), AREA, 'magic "!LVM2 x[5A%r0N*>", expected " LVM2 x[5A%r0N*>"'],
    ['another version', resealed(header, 0, 4, 20, [2]), AREA, 'version 2, expected 1'],
    ['another start', header, { ...AREA, offset: 8192 }, 'start 4096, expected 8192'],
    ['another size', header, { ...AREA, size: 4096 }, 'size 1044480, expected 4096 as the pv_header says'],
  ] satisfies [string, Uint8Array, DiskArea, string][])('%s is refused', (_, sector, area, why) => {
    const decode = () => decodeMdaHeader(sector, area);
    expect(decode).toThrow(FormatError);
    expect(decode).toThrow(`mda_header at byte ${area.offset}: ${why}`);
  });

  it.each([
    ['before the ring', [...u64(511), ...u64(100)]],
    ['behind the area', [...u64(AREA.size), ...u64(100)]],
    ['longer than the ring', [...u64(512), ...u64(AREA.size - 511)]],
    ['without length', [...u64(512), ...u64(0)]],
  ])('a text %s is refused', (_, bytes) => {
    const decode = () => decodeMdaHeader(resealed(header, 0, 4, 40, bytes), AREA);
    expect(decode).toThrow(/^mda_header at byte 4136: a text of \d+ bytes at \d+, expected in bytes 512 to 1044479 of/);
  });
});
