import { hex } from '@quorate/kernel';
import type { SparseStore } from '@quorate/scsi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itWith } from '../../../tooling/oracle.js';
import {
  addPartition,
  decodePartitionSector,
  encodePartitionSector,
  FormatError,
  fdiskReport,
  finish,
  type NewPartition,
  type PartitionTable,
  partitionPath,
  partitionStore,
  readPartitionTable,
  removePartition,
  setPartitionType,
  storeDevice,
  writePartitionTable,
} from '../src/index.js';
import { diskOf, fileToStore, storeToFile, withFile } from './image.js';
import { run } from './oracle.js';

const DISK_BYTES = 107_374_182_400;
const diskSectors = DISK_BYTES / 512;
const EMPTY: PartitionTable = { signature: 0x1234abcd, partitions: [] };

type Asked = Omit<NewPartition, 'diskSectors'>;

function planned(asked: readonly Asked[], signature = EMPTY.signature): PartitionTable {
  return asked.reduce<PartitionTable>((table, each) => addPartition(table, { diskSectors, ...each }), {
    ...EMPTY,
    signature,
  });
}

function written(table: PartitionTable): SparseStore {
  const store = diskOf(DISK_BYTES);
  finish(writePartitionTable(storeDevice('/dev/sdb', store), table));
  return store;
}

function sectorOf(store: SparseStore, sector: number): Uint8Array {
  const bytes = new Uint8Array(512);
  store.read(sector, 1, bytes);
  return bytes;
}

const WALK_THROUGH: readonly Asked[] = [{ kind: 'primary', last: '+30G', type: 0x8e }];
const TWO_LOGICAL_IN_CYLINDER_1: readonly Asked[] = [
  { kind: 'extended', last: '+20G' },
  { kind: 'logical', last: '+5G' },
  { kind: 'logical', last: '+3G' },
  { kind: 'primary', number: 2, last: '+1000M' },
];
const TWO_LOGICAL_BEHIND: readonly Asked[] = [
  { kind: 'primary', last: '+30G' },
  { kind: 'extended' },
  { kind: 'logical', last: '+5G' },
  { kind: 'logical' },
];
const BETWEEN: readonly Asked[] = [
  { kind: 'primary', number: 2, firstCylinder: 100, last: '+50' },
  { kind: 'primary', number: 1 },
  { kind: 'primary', last: '+300M' },
];

describe('the plan of fdisk in cylinder mode', () => {
  it.each([
    ['the walk-through: cylinders 1 to 3917', WALK_THROUGH, [[1, 63, 62_926_542]]],
    [
      'logical partitions, the first in cylinder 1',
      TWO_LOGICAL_IN_CYLINDER_1,
      [
        [1, 63, 41_961_717],
        [2, 41_961_780, 2_056_320],
        [5, 126, 10_506_384],
        [6, 10_506_573, 6_313_482],
      ],
    ],
    [
      'an extended partition to the end of the disk',
      TWO_LOGICAL_BEHIND,
      [
        [1, 63, 62_926_542],
        [2, 62_926_605, 146_785_905],
        [5, 62_926_668, 10_506_447],
        [6, 73_433_178, 136_279_332],
      ],
    ],
    [
      'before and behind another one',
      BETWEEN,
      [
        [1, 63, 1_590_372],
        [2, 1_590_435, 819_315],
        [3, 2_409_750, 626_535],
      ],
    ],
  ] as const)('%s', (_, asked, expected) => {
    const { partitions } = planned(asked);
    expect(partitions.map(({ number, start, sectors }) => [number, start, sectors])).toEqual(expected);
  });

  const full: readonly Asked[] = [1, 2, 3, 4].map((number) => ({ kind: 'primary', number, last: '+100' }));
  it.each([
    ['a fifth primary partition', full, { kind: 'primary' }, 'exists', 'all four primary partitions are in use'],
    ['a number in use', WALK_THROUGH, { kind: 'primary', number: 1 }, 'exists', 'Partition 1 is already defined.'],
    ['a number out of range', [], { kind: 'primary', number: 5 }, 'bad-argument', 'number 5, expected 1 to 4'],
    ['a logical one without extended', [], { kind: 'logical' }, 'not-found', 'there is no extended partition'],
    [
      'a second extended one',
      [{ kind: 'extended', last: '+1G' }],
      { kind: 'extended' },
      'exists',
      'partition 1 is extended: there can be one only',
    ],
    ['a full disk', [{ kind: 'primary' }], { kind: 'primary' }, 'no-space', 'No free sectors available'],
    [
      'a first cylinder in use',
      WALK_THROUGH,
      { kind: 'primary', firstCylinder: 3917 },
      'bad-argument',
      'first cylinder 3917, expected a free one of 1 to 13054',
    ],
    [
      'a size that reaches into another one',
      [{ kind: 'primary', firstCylinder: 100, last: '+50' }],
      { kind: 'primary', last: '+30G' },
      'bad-argument',
      'last cylinder 3917, expected 1 to 99',
    ],
    [
      'a size in a unit that fdisk does not know',
      [],
      { kind: 'primary', last: '+30X' },
      'bad-argument',
      'last cylinder "+30X", expected a number, +cylinders or +size{K,M,G}',
    ],
  ] as const)('refuses %s', (_, before, asked, code, message) => {
    expect(() => planned([...before, asked])).toThrow(expect.objectContaining({ name: 'VolumeError', code, message }));
  });

  it('a disk of 4 TiB is used as far as 2 TiB', () => {
    const { partitions } = addPartition(EMPTY, { diskSectors: 2 ** 33, kind: 'primary' });
    expect(partitions.map(({ start, sectors }) => start + sectors)).toEqual([267_349 * 16_065]);
    const store = diskOf(2 ** 42);
    const beyond = { number: 1, isActive: false, type: 0x83, start: 2 ** 32, sectors: 1 };
    const write = () =>
      finish(writePartitionTable(storeDevice('/dev/sdb', store), { signature: 1, partitions: [beyond] }));
    expect(write).toThrow('a partition of 1 sectors at 4294967296: expected at most 4294967295');
  });

  it('partitions go: logical ones behind move up, an extended one takes its own along', () => {
    const numbers = (table: PartitionTable) => table.partitions.map(({ number, start }) => [number, start]);
    const table = planned(TWO_LOGICAL_BEHIND);
    expect(numbers(removePartition(table, 5))).toEqual([
      [1, 63],
      [2, 62_926_605],
      [5, 73_433_178],
    ]);
    expect(numbers(removePartition(table, 2))).toEqual([[1, 63]]);
    expect(() => removePartition(table, 3)).toThrow('Partition 3 does not exist yet!');
    const store = written(removePartition(table, 5));
    expect(finish(readPartitionTable(storeDevice('/dev/sdb', store)))).toEqual(removePartition(table, 5));
  });

  it('a logical partition in the gap at the head of the chain becomes number 5 again', () => {
    const gap = removePartition(planned(TWO_LOGICAL_BEHIND), 5);
    const table = addPartition(gap, { diskSectors, kind: 'logical', last: '+2G' });
    expect(table.partitions.map(({ number, start }) => [number, start]).slice(2)).toEqual([
      [5, 62_926_668],
      [6, 73_433_178],
    ]);
    expect(finish(readPartitionTable(storeDevice('/dev/sdb', written(table))))).toEqual(table);
    const wrong = table.partitions.map((each) => ({
      ...each,
      number: each.number > 4 ? 11 - each.number : each.number,
    }));
    const swapped = { ...table, partitions: [...wrong].sort((a, b) => a.number - b.number) };
    expect(() => written(swapped)).toThrow('logical partition 6 is the first of its chain');
  });

  it('has 60 partitions at most', () => {
    const many: Asked[] = [
      { kind: 'extended' },
      ...Array.from({ length: 56 }, (): Asked => ({ kind: 'logical', last: '+9' })),
    ];
    expect(planned(many).partitions).toHaveLength(57);
    expect(() => planned([...many, { kind: 'logical' }])).toThrow('The maximum number of partitions has been created');
    expect(finish(readPartitionTable(storeDevice('/dev/sdb', written(planned(many)))))).toEqual(planned(many));
  });

  it('sets a type, of a partition that is there', () => {
    expect(setPartitionType(planned([{ kind: 'primary' }]), 1, 0x8e).partitions[0]!.type).toBe(0x8e);
    expect(() => setPartitionType(EMPTY, 1, 0x8e)).toThrow('Partition 1 does not exist yet!');
  });
});

describe('partition sectors', () => {
  it('the entry of the walk-through is the one that fdisk wrote', () => {
    // Recorded: fdisk 2.38 -c=dos -u=cylinders, answers n p 1 (default) +30G t 8e w, on a disk of 100 GiB.
    const recorded = '000101008efeffff3f000000ce2ec003';
    expect(hex(sectorOf(written(planned(WALK_THROUGH)), 0), 446, 462)).toBe(recorded);
  });

  it('boot code stays when a table is written', () => {
    const store = diskOf(DISK_BYTES);
    store.write(0, new Uint8Array(512).fill(0x90));
    finish(writePartitionTable(storeDevice('/dev/sdb', store), planned(WALK_THROUGH)));
    expect([...sectorOf(store, 0).subarray(0, 440)].every((byte) => byte === 0x90)).toBe(true);
  });

  it('any content decodes to what encodes to it again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 512 }), (sector) => {
        sector.set([0x55, 0xaa], 510);
        sector.fill(0, 444, 446);
        const again = sector.slice().fill(0, 440, 512);
        encodePartitionSector(again, decodePartitionSector(sector));
        expect(again).toEqual(sector);
      }),
    );
  });

  it('what does not end with 55 aa is refused, with structure and offset', () => {
    const sector = new Uint8Array(512);
    sector[510] = 0x55;
    expect(() => decodePartitionSector(sector)).toThrow('mbr at byte 0: it ends with 55 00, expected 55 aa');
    expect(() => decodePartitionSector(sector.subarray(1))).toThrow('mbr at byte 0: 511 bytes, expected 512');
  });
});

describe('partition tables', () => {
  it.each([
    ['the walk-through', WALK_THROUGH],
    ['logical partitions in cylinder 1', TWO_LOGICAL_IN_CYLINDER_1],
    ['logical partitions behind', TWO_LOGICAL_BEHIND],
    ['an extended partition without logical ones', [{ kind: 'extended' }] as const],
    ['no partition', []],
  ])('%s: what is written is read', (_, asked) => {
    const table = planned(asked);
    expect(finish(readPartitionTable(storeDevice('/dev/sdb', written(table))))).toEqual(table);
  });

  const patch = (sector: number, change: (bytes: Uint8Array) => void) => {
    const store = written(planned(TWO_LOGICAL_BEHIND));
    const bytes = sectorOf(store, sector);
    change(bytes);
    store.write(sector, bytes);
    return () => finish(readPartitionTable(storeDevice('/dev/sdb', store)));
  };
  const link = (start: number) => (bytes: Uint8Array) => new DataView(bytes.buffer).setUint32(462 + 8, start, true);
  const EBR = 62_926_605;
  it.each([
    ['a chain that comes back', link(0), `ebr at byte ${EBR * 512}: the chain comes back to it`],
    [
      'a chain that leaves the extended partition',
      link(200_000_000),
      `ebr at byte ${(EBR + 200_000_000) * 512}: sector 262926605, expected one of the extended partition, ${EBR} to 209712509`,
    ],
    [
      'a record without its end',
      (bytes: Uint8Array) => bytes.fill(0, 510),
      `ebr at byte ${EBR * 512}: it ends with 00 00`,
    ],
  ])('%s is an error', (_, change, message) => {
    expect(patch(EBR, change)).toThrow(FormatError);
    expect(patch(EBR, change)).toThrow(message);
  });

  it('a chain of 70 links is cut short', () => {
    const store = written(planned([{ kind: 'extended' }]));
    for (let i = 0; i < 70; i++) {
      const record = sectorOf(store, 63);
      new DataView(record.buffer).setUint32(462 + 8, (i + 1) * 100, true);
      record[462 + 4] = 5;
      store.write(63 + i * 100, record);
    }
    expect(() => finish(readPartitionTable(storeDevice('/dev/sdb', store)))).toThrow(
      'the chain has more than 60 links',
    );
  });

  it('a partition is a window of the disk', () => {
    const table = planned(WALK_THROUGH);
    const disk = written(table);
    const store = partitionStore(disk, table.partitions[0]!);
    store.write(0, new Uint8Array(512).fill(7));
    expect(store.blocks).toBe(62_926_542);
    expect(sectorOf(disk, 63)[0]).toBe(7);
    const into = new Uint8Array(512);
    expect(() => store.read(store.blocks, 1, into)).toThrow('blocks 62926542 + 1 of 62926542');
    expect(() => partitionStore(diskOf(1 << 20), table.partitions[0]!)).toThrow(RangeError);
  });
});

describe('fdisk -l', () => {
  it('the disk of the walk-through', () => {
    expect(fdiskReport('/dev/sdb', diskSectors, planned(WALK_THROUGH))).toBe(`
Disk /dev/sdb: 107.4 GB, 107374182400 bytes
255 heads, 63 sectors/track, 13054 cylinders
Units = cylinders of 16065 * 512 = 8225280 bytes
Sector size (logical/physical): 512 bytes / 512 bytes
I/O size (minimum/optimal): 512 bytes / 512 bytes
Disk identifier: 0x1234abcd

   Device Boot      Start         End      Blocks   Id  System
/dev/sdb1               1        3917    31463271   8e  Linux LVM
`);
  });

  it('an active partition, half a block, and an end within a cylinder', () => {
    const partition = { number: 1, isActive: true, type: 0x77, start: 2048, sectors: 10_001 };
    expect(
      fdiskReport('/dev/vda', 20_000, { signature: 1, partitions: [partition] })
        .split('\n')
        .slice(-4),
    ).toEqual([
      '   Device Boot      Start         End      Blocks   Id  System',
      '/dev/vda1   *           1           1        5000+  77  Unknown',
      'Partition 1 does not end on cylinder boundary.',
      '',
    ]);
  });

  it('a disk without a table, and one without partitions', () => {
    expect(fdiskReport('/dev/sdc', 2_097_152, undefined)).toContain(
      'Disk /dev/sdc: 1073 MB, 1073741824 bytes\n255 heads, 63 sectors/track, 130 cylinders\n',
    );
    expect(fdiskReport('/dev/sdc', 2_097_152, undefined)).toMatch(
      /\n\nDisk \/dev\/sdc doesn't contain a valid partition table\n$/,
    );
    expect(fdiskReport('/dev/sdc', 2_097_152, EMPTY)).toMatch(/Disk identifier: 0x1234abcd\n\n$/);
  });

  it.each([
    ['/dev/sdb', '/dev/sdb1'],
    ['/dev/loop0', '/dev/loop0p1'],
  ])('partition 1 of %s is %s', (disk, path) => {
    expect(partitionPath(disk, 1)).toBe(path);
  });
});

describe('the real fdisk and sfdisk', () => {
  const answers: Record<NewPartition['kind'], string> = { primary: 'p', extended: 'e', logical: 'l' };
  /** One `n` dialog; with three primary ones defined fdisk does not ask for the kind of the fourth. */
  const dialog = ({ kind, number, firstCylinder, last }: Asked) =>
    ['n', answers[kind], ...(kind === 'logical' ? [] : [number ?? '']), firstCylinder ?? '', last ?? ''].join('\n');

  for (const [name, asked] of [
    ['the walk-through', WALK_THROUGH.map(({ type: _, ...rest }) => rest)],
    ['logical partitions in cylinder 1', TWO_LOGICAL_IN_CYLINDER_1],
    ['logical partitions behind', TWO_LOGICAL_BEHIND],
    ['before and behind another one', BETWEEN],
  ] as const) {
    itWith(['fdisk'], `${name}: fdisk writes the same sectors`, () => {
      withFile(DISK_BYTES, (file) => {
        const script = `${asked.map(dialog).join('\n')}\nw\n`;
        expect(run('fdisk', ['-c=dos', '-u=cylinders', file], script).status).toBe(0);
        const theirs = diskOf(DISK_BYTES);
        fileToStore(file, theirs, [[0, 1]]);
        const table = planned(asked, decodePartitionSector(sectorOf(theirs, 0)).signature);
        const sectors = [0, ...table.partitions.flatMap(({ ebr }) => (ebr === undefined ? [] : [ebr]))];
        fileToStore(
          file,
          theirs,
          sectors.map((sector) => [sector, 1]),
        );
        const ours = written(table);
        for (const sector of sectors) expect(hex(sectorOf(ours, sector))).toBe(hex(sectorOf(theirs, sector)));
        expect(finish(readPartitionTable(storeDevice(file, theirs)))).toEqual(table);
      });
    });
  }

  itWith(['sfdisk'], 'sfdisk reads what is written here', () => {
    withFile(DISK_BYTES, (file) => {
      storeToFile(written(setPartitionType(planned(TWO_LOGICAL_BEHIND), 1, 0x8e)), file);
      expect(run('sfdisk', ['--dump', file]).stdout.replaceAll(file, 'disk').replace(/ +/g, ' ')).toBe(`label: dos
label-id: 0x1234abcd
device: disk
unit: sectors
sector-size: 512

disk1 : start= 63, size= 62926542, type=8e
disk2 : start= 62926605, size= 146785905, type=5
disk5 : start= 62926668, size= 10506447, type=83
disk6 : start= 73433178, size= 136279332, type=83
`);
    });
  });

  itWith(['sfdisk'], 'what sfdisk writes is read here', () => {
    withFile(DISK_BYTES, (file) => {
      const script = 'label: dos\nlabel-id: 0xcafe0001\n2048,4194304,8e,*\n,,E\n,2097152,L\n,,82\n';
      expect(run('sfdisk', [file], script).status).toBe(0);
      const disk = diskOf(DISK_BYTES);
      fileToStore(file, disk, [
        [0, 1],
        [4_196_352, 1],
        [6_295_552, 1],
      ]);
      const { signature, partitions } = finish(readPartitionTable(storeDevice(file, disk)));
      expect(signature).toBe(0xcafe0001);
      expect(partitions.map(({ number, isActive, type, start }) => [number, isActive, type, start])).toEqual([
        [1, true, 0x8e, 2048],
        [2, false, 5, 4_196_352],
        [5, false, 0x83, 4_198_400],
        [6, false, 0x82, 6_297_600],
      ]);
    });
  });
});
