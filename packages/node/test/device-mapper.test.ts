import type { Fact } from '@quorate/kernel';
import type { MappedSegment } from '@quorate/volumes';
import { describe, expect, it } from 'vitest';
import { DeviceMapper, type VolumeMapping } from '../src/os/device-mapper.js';
import { type BlockDevice, Disks } from '../src/os/disks.js';

const [FIRST, SECOND]: readonly BlockDevice[] = [
  { path: '/dev/sdb1', lun: 0, start: 63, blocks: 1000 },
  { path: '/dev/sdc1', lun: 1, start: 63, blocks: 500 },
];

function setUp() {
  const disks = new Disks([FIRST!, SECOND!], () => {});
  const facts: Fact[] = [];
  const mapper = new DeviceMapper(
    disks,
    () => 7,
    (fact) => facts.push(fact),
  );
  return { disks, mapper, facts };
}

/** Each piece: physical volume, its first sector there, and sectors. */
function volume(name: string, ...pieces: readonly (readonly ['pv0' | 'pv1', number, number])[]): VolumeMapping {
  let start = 0;
  const segments = pieces.map(([physicalVolumeId, physicalStart, sectors]): MappedSegment => {
    const segment = { start, sectors, physicalVolumeId, physicalStart };
    start += sectors;
    return segment;
  });
  const deviceOf = (id: string): BlockDevice => (id === 'pv0' ? FIRST! : SECOND!);
  return { group: 'my-vg', isClustered: true, name, id: `id of ${name}`, segments, deviceOf };
}

describe('a volume that is mapped', () => {
  it.each([
    ['of one piece', [['pv0', 100, 10]], { lun: 0, start: 163, blocks: 10 }],
    [
      'of pieces that go on where the one before ends',
      [
        ['pv0', 100, 10],
        ['pv0', 110, 5],
      ],
      { lun: 0, start: 163, blocks: 15 },
    ],
    [
      'of pieces on two disks',
      [
        ['pv0', 100, 10],
        ['pv1', 0, 5],
      ],
      {
        lun: 0,
        start: 163,
        blocks: 15,
        extents: [
          { lun: 0, start: 163, blocks: 10 },
          { lun: 1, start: 63, blocks: 5 },
        ],
      },
    ],
  ] as const)('%s is one device', (_, pieces, expected) => {
    const { disks, mapper } = setUp();
    expect(mapper.map(volume('a-b', ...pieces))).toBeUndefined();
    expect(disks.device('/dev/mapper/my--vg-a--b')).toEqual({
      path: '/dev/mapper/my--vg-a--b',
      aliases: ['/dev/block/253:0', '/dev/dm-0', '/dev/my-vg/a-b'],
      ...expected,
    });
  });

  it('keeps open what it lies on, and goes when nobody has it open', () => {
    const { disks, mapper, facts } = setUp();
    mapper.map(volume('a', ['pv0', 0, 10], ['pv1', 0, 10], ['pv0', 50, 10]));
    expect([disks.openCount('/dev/sdb1'), disks.openCount('/dev/sdc1')]).toEqual([1, 1]);
    const device = disks.device('/dev/dm-0')!;
    disks.open(device);
    expect([mapper.unmap('id of a'), mapper.openCount('id of a')]).toEqual(['EBUSY', 1]);
    disks.close(device);
    expect(mapper.unmap('id of a')).toBeUndefined();
    expect([disks.openCount('/dev/sdb1'), disks.device('/dev/dm-0'), mapper.active.size]).toEqual([0, undefined, 0]);
    expect(facts.map(({ kind, now }) => [kind, now])).toEqual([
      ['volumes.activated', 7],
      ['volumes.deactivated', 7],
    ]);
  });

  it('has the least minor that is free', () => {
    const { disks, mapper } = setUp();
    for (const [i, name] of ['a', 'b', 'c'].entries()) mapper.map(volume(name, ['pv0', i * 10, 10]));
    mapper.unmap('id of b');
    mapper.map(volume('d', ['pv0', 50, 10]));
    expect(disks.device('/dev/dm-1')?.path).toBe('/dev/mapper/my--vg-d');
  });

  it('is mapped once, however often that is asked for', () => {
    const { mapper, facts } = setUp();
    for (let i = 0; i < 2; i++) mapper.map(volume('a', ['pv0', 0, 10]));
    expect(facts).toHaveLength(1);
    expect([mapper.unmap('id of b'), mapper.openCount('id of b')]).toEqual([undefined, 0]);
  });

  it('ends inside what it lies on, or is refused', () => {
    const { disks, mapper, facts } = setUp();
    expect(mapper.map(volume('a', ['pv0', 0, 10], ['pv1', 495, 6]))).toBe('EINVAL');
    expect([disks.openCount('/dev/sdb1'), facts]).toEqual([0, []]);
  });
});
