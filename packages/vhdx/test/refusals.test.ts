import { setU64, viewOf } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { seal } from '../src/format/checksum.js';
import { checkVhdx, openVhdx, VhdxError } from '../src/index.js';
import { CrashFile } from './crash-file.js';
import { MIB, newImage, open, openReadOnly, random, sectors } from './images.js';
import { PageFile } from './page-file.js';

const KIB = 1024;
const HEADERS = [64 * KIB, 128 * KIB];
const REGION_TABLES = [192 * KIB, 256 * KIB];
const LOG = MIB;
const METADATA = 2 * MIB;
const BAT = 3 * MIB;

/** Two blocks at 4 and 5 MiB, an empty log. */
function healthy(): PageFile {
  const file = PageFile.of(newImage({ size: 8 * MIB }));
  const image = open(file);
  image.write(0, sectors(1));
  image.write(3 * 2048, sectors(2));
  image.close();
  return file;
}

/** The same while its log holds an entry. */
function withLog(): PageFile {
  const file = new CrashFile(newImage({ size: 8 * MIB }));
  const image = open(file);
  image.write(0, sectors(1));
  image.flush();
  return file.afterPrefix(0);
}

/** Changes bytes of a structure; with a length its checksum is made right again. */
function change(
  file: PageFile,
  offset: number,
  sealed: number,
  edit: (view: DataView, bytes: Uint8Array) => void,
): void {
  const bytes = new Uint8Array(sealed === 0 ? 64 * KIB : sealed);
  file.read(offset, bytes);
  edit(viewOf(bytes), bytes);
  if (sealed > 0) seal(bytes);
  file.write(offset, bytes);
}

function both(offsets: readonly number[], sealed: number, edit: (view: DataView, bytes: Uint8Array) => void) {
  return (file: PageFile): void => {
    for (const offset of offsets) change(file, offset, sealed, edit);
  };
}

const inHeaders = (edit: (view: DataView, bytes: Uint8Array) => void) => both(HEADERS, 4096, edit);
const inRegionTables = (edit: (view: DataView, bytes: Uint8Array) => void) => both(REGION_TABLES, 64 * KIB, edit);
const inMetadata = (edit: (view: DataView, bytes: Uint8Array) => void) => both([METADATA], 0, edit);
const inItems = (edit: (view: DataView, bytes: Uint8Array) => void) => both([METADATA + 64 * KIB], 0, edit);
const inBat = (block: number, value: number) => both([BAT], 0, (view) => setU64(view, 8 * block, value, true));

/** The same sequence number in both copies, which differ in something else. */
function oneNumber(): (view: DataView, bytes: Uint8Array) => void {
  let copy = 0;
  return (view, bytes) => {
    view.setBigUint64(8, 7n, true);
    bytes.fill(copy++ % 2, 32, 40);
  };
}

describe('an image is refused', () => {
  it.each<[string, (file: PageFile) => void, string]>([
    [
      'no signature',
      both([0], 0, (_, b) => b.fill(0, 0, 8)),
      'file type identifier at byte 0: found another signature',
    ],
    [
      'both headers torn',
      both(HEADERS, 0, (_, b) => b.fill(9, 0, 512)),
      'headers at byte 65536: found neither copy whole',
    ],
    ['two headers with one number', inHeaders(oneNumber()), 'headers at byte 131072'],
    [
      'version 2',
      inHeaders((view) => view.setUint16(66, 2, true)),
      'header 1 at byte 65602: found version 2, expected 1',
    ],
    ['log version 1', inHeaders((view) => view.setUint16(64, 1, true)), 'header 1 at byte 65600: found log version 1'],
    ['no log', inHeaders((view) => view.setUint32(68, 0, true)), 'header 1 at byte 65604: found log length 0'],
    [
      'a log over the headers',
      inHeaders((view) => setU64(view, 72, 0, true)),
      'header 1 at byte 65608: found log offset 0',
    ],
    ['a log outside', inHeaders((view) => setU64(view, 72, 512 * MIB, true)), 'log at byte 536870912'],
    [
      'a log that is named and empty',
      inHeaders((_, b) => b.fill(3, 48, 64)),
      'log at byte 1048576: found no valid sequence',
    ],
    [
      'both region tables torn',
      both(REGION_TABLES, 0, (_, b) => b.fill(9, 100, 200)),
      'region table 2 at byte 262144: found checksum',
    ],
    [
      'too many regions',
      inRegionTables((view) => view.setUint32(8, 2048, true)),
      'found 2048 entries, expected at most 2047',
    ],
    ['an unknown required region', inRegionTables((_, b) => b.fill(7, 16, 32)), 'found required region 07070707'],
    [
      'no BAT',
      inRegionTables((view, b) => {
        b.fill(7, 16, 32);
        view.setUint32(44, 0, true);
      }),
      'found no BAT',
    ],
    ['a region over another', inRegionTables((view) => setU64(view, 32, METADATA, true)), 'bytes over the '],
    [
      'a region off the grid',
      inRegionTables((view) => setU64(view, 32, BAT + 4096, true)),
      'found region offset 3149824',
    ],
    ['a region outside', inRegionTables((view) => setU64(view, 32, 700 * MIB, true)), 'BAT at byte 734003200'],
    [
      'no metadata',
      inMetadata((_, b) => b.fill(0, 0, 8)),
      'metadata table at byte 2097152: found signature "........"',
    ],
    [
      'an unknown required item',
      inMetadata((_, b) => b.fill(7, 32, 48)),
      'metadata table at byte 2097184: found required item',
    ],
    ['an item missing', inMetadata((view) => view.setUint16(10, 4, true)), 'found no physical sector size'],
    [
      'an item twice',
      inMetadata((_, b) => b.copyWithin(64, 32, 48)),
      'found caa16737-fa36-4d43-b3b6-33f0aa44e76b twice',
    ],
    ['an item outside', inMetadata((view) => view.setUint32(48, 2 * MIB, true)), 'found item at 2097152 + 8'],
    [
      'a block size of 3 MiB',
      inItems((view) => view.setUint32(0, 3 * MIB, true)),
      'file parameters at byte 2162688: found block size 3145728',
    ],
    ['a parent', inItems((view) => view.setUint32(4, 2, true)), 'found HasParent, expected no differencing image'],
    [
      'a size of half a sector',
      inItems((view) => setU64(view, 8, 256, true)),
      'virtual disk size at byte 2162696: found 256',
    ],
    [
      'a size beyond the BAT',
      inItems((view) => setU64(view, 8, 64 * 1024 ** 4, true)),
      'BAT at byte 3145728: found 1048576 bytes',
    ],
    [
      'a sector of 520',
      inItems((view) => view.setUint32(32, 520, true)),
      'logical sector size at byte 2162720: found 520',
    ],
    ['state 7', inBat(1, 7 + 6 * MIB), 'BAT entry of block 1 at byte 3145736: found state 7'],
    ['reserved bits', inBat(0, 6 + 8 + 4 * MIB), 'BAT entry of block 0 at byte 3145728: found reserved bits 1h'],
    [
      'a block over another',
      inBat(1, 6 + 4 * MIB),
      'BAT entry of block 1 at byte 3145736: found offset 4 MiB, which is taken',
    ],
    ['a block over the BAT', inBat(1, 6 + 3 * MIB), 'found offset 3 MiB, which is taken'],
    ['a block over the headers', inBat(1, 6), 'found offset 0 MiB'],
    ['a block outside', inBat(1, 6 + 9 * MIB), 'found offset 9 MiB, expected 1048576 bytes between'],
  ])('%s', (_what, damage, message) => {
    const file = healthy();
    damage(file);
    for (const openIt of [() => openReadOnly(file), () => openVhdx(file, { random })]) {
      expect(openIt).toThrow(VhdxError);
      expect(openIt).toThrow(message);
    }
    expect(checkVhdx(file).filter(({ severity }) => severity === 'error')[0]!.message).toContain(message);
  });

  it.each<[string, (file: PageFile) => void, string]>([
    [
      'a log entry with a bit turned',
      both([LOG], 0, (_, b) => (b[5000]! ^= 1)),
      'log at byte 1048576: found no valid sequence',
    ],
    [
      'a log entry over the headers',
      both([LOG], 8192, (view) => setU64(view, 80, 64 * KIB, true)),
      'an update of bytes 65536 to 69632',
    ],
    [
      'a log entry over the log',
      both([LOG], 8192, (view) => setU64(view, 80, LOG, true)),
      'an update of bytes 1048576 to 1052672',
    ],
    [
      'a log entry beyond the end',
      both([LOG], 8192, (view) => setU64(view, 80, 500 * MIB, true)),
      'an update of bytes 524288000',
    ],
    [
      'a file that was cut',
      both([LOG], 8192, (view) => setU64(view, 48, 9 * MIB, true)),
      'found 5242880 bytes, expected at least 9437184',
    ],
    [
      'a file longer than any',
      both([LOG], 8192, (view) => setU64(view, 56, 2 ** 50, true)),
      'found last file offset 1125899906842624',
    ],
  ])('%s', (_what, damage, message) => {
    const file = withLog();
    expect(checkVhdx(file).map(({ severity }) => severity)).toEqual(['warning']);
    damage(file);
    const before = file.copy();
    expect(() => openVhdx(file, { random })).toThrow(message);
    expect(() => openReadOnly(file)).toThrow(message);
    expect(file.size).toBe(before.size);
  });
});

describe('an image is opened, and check warns', () => {
  it.each<[string, number, number, string]>([
    ['header 1 torn', HEADERS[0]!, 4096, 'header 1'],
    ['header 2 torn', HEADERS[1]!, 4096, 'header 2'],
    ['region table 1 torn', REGION_TABLES[0]!, 64 * KIB, 'region table 1'],
    ['region table 2 torn', REGION_TABLES[1]!, 64 * KIB, 'region table 2'],
  ])('%s', (_what, offset, length, structure) => {
    const file = healthy();
    file.write(offset, new Uint8Array(length / 2));
    const findings = checkVhdx(file);
    expect(findings.map((finding) => [finding.severity, finding.structure, finding.offset])).toEqual([
      ['warning', structure, offset],
    ]);
    const image = open(file);
    image.write(0, sectors(9));
    image.close();
    expect(checkVhdx(file)).toHaveLength(structure.startsWith('header') ? 0 : 1);
  });

  it('room that nothing uses is told, and how much', () => {
    const file = healthy();
    file.resize(9 * MIB);
    inBat(0, 0)(file);
    expect(checkVhdx(file).map(({ severity, message }) => [severity, message.split(': ')[1]])).toEqual([
      ['leak', 'found 1 MiB between structures that nothing uses, expected all room in use'],
      ['leak', 'found 3 MiB behind the last structure, expected all room in use'],
    ]);
  });

  it('every misplaced block is told, not only the first', () => {
    const file = healthy();
    inBat(1, 6 + 4 * MIB)(file);
    inBat(2, 6 + 77 * MIB)(file);
    expect(checkVhdx(file).filter(({ severity }) => severity === 'error')).toHaveLength(2);
  });
});

describe('states of payload blocks', () => {
  it.each([
    [0, 'not present', 0],
    [1, 'undefined', 0],
    [2, 'zero', 0],
    [3, 'unmapped', 0],
    [1, 'undefined, room kept', 4],
    [3, 'unmapped, room kept', 4],
    [2, 'zero, offset to be ignored', 4],
  ])('%i (%s) reads as zeros and can be written', (state, _name, mib) => {
    const file = healthy();
    inBat(0, state + mib * MIB)(file);
    const image = open(file);
    const bytes = sectors(0xee, 2048);
    image.read(0, 2048, bytes);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    image.write(5, sectors(4));
    image.close();
    const again = openReadOnly(file);
    again.read(0, 2048, bytes);
    expect(bytes.filter((byte) => byte !== 0)).toEqual(sectors(4));
    expect(checkVhdx(file).filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});
