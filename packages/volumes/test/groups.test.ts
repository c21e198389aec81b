import { describe, expect, it } from 'vitest';
import {
  commitGroup,
  createGroup,
  createVolume,
  decodeMdaHeader,
  encodeLabel,
  extendGroup,
  extendVolume,
  extentsFor,
  findVolume,
  finish,
  freeExtents,
  groupExtents,
  isClustered,
  orphansOf,
  pvCreate,
  pvRemove,
  readPhysicalVolume,
  reduceGroup,
  reduceVolume,
  releasePhysicalVolume,
  removeGroup,
  removeVolume,
  type SectorDevice,
  setClustered,
  type VolumeGroup,
  writePartitionTable,
} from '../src/index.js';
import { commitMetadata, precommitMetadata } from '../src/lvm/metadata-area.js';
import { TestMachine } from './machine.js';

const AREA = { offset: 4096, size: 1_044_480 };

/** Where a volume lies: `pv0:0+5 pv1:3+2`. */
function placesOf(group: VolumeGroup, name: string): string {
  const { segments } = findVolume(group, name)!;
  return segments.map(({ extentCount, stripes: [at] }) => `${at!.on}:${at!.extent}+${extentCount}`).join(' ');
}

function headerOf(machine: TestMachine, disk: number) {
  const sector = new Uint8Array(512);
  machine.stores[disk]!.read(8, 1, sector);
  return decodeMdaHeader(sector, AREA);
}

describe('pvcreate', () => {
  it('makes a physical volume that belongs to no group', () => {
    const machine = new TestMachine([64]).pvCreate();
    const scan = machine.scan();
    expect(scan.groups).toEqual([]);
    expect(orphansOf(scan)).toHaveLength(1);
    expect(scan.physicalVolumes[0]!.label).toMatchObject({
      sector: 1,
      deviceSize: 64 * 1024 * 1024,
      dataAreas: [{ offset: 1_048_576, size: 0 }],
      metadataAreas: [AREA],
      extension: { version: 1, flags: 0 },
    });
  });

  it('refuses a small device, a partitioned one, and a member of a group', () => {
    const machine = new TestMachine([1, 64, 64]);
    const create = (i: number) => () => finish(pvCreate(machine.devices[i]!, { uuid: machine.uuid() }));
    expect(create(0)).toThrow('/dev/sda has 2048 sectors, expected at least 4096');
    const partition = { number: 1, isActive: false, type: 0x83, start: 63, sectors: 100 };
    finish(writePartitionTable(machine.devices[1]!, { signature: 1, partitions: [partition] }));
    expect(create(1)).toThrow('/dev/sdb has partitions');
    create(2)();
    machine.vgCreate();
    const why = `Can't initialize physical volume "/dev/sdc" of volume group "my-vg1" without -ff`;
    expect(create(2)).toThrow(expect.objectContaining({ code: 'in-use', message: why }));
    expect(() => finish(pvCreate(machine.devices[1]!, { uuid: 'x' }))).toThrow(RangeError);
  });

  it('a damaged label is written over', () => {
    const machine = new TestMachine([64]).pvCreate();
    machine.stores[0]!.write(1, new Uint8Array(512).fill(0x4c));
    expect(finish(readPhysicalVolume(machine.devices[0]!))).toBeUndefined();
    expect(orphansOf(machine.pvCreate().scan())).toHaveLength(1);
  });

  it('pvremove takes the label away, of what belongs to no group', () => {
    const machine = new TestMachine([64]).pvCreate();
    const remove = () => finish(pvRemove(machine.devices[0]!));
    remove();
    expect(remove).toThrow('No PV label found on /dev/sda.');
    machine.pvCreate().vgCreate();
    expect(remove).toThrow('PV /dev/sda belongs to Volume Group my-vg1 so please use vgreduce first.');
  });
});

describe('vgcreate', () => {
  it('reckons extents from what is behind the first MiB', () => {
    const { group, missing, stale } = (() => {
      const machine = new TestMachine([64, 129]).pvCreate();
      machine.vgCreate();
      return machine.group();
    })();
    expect(group.seqno).toBe(1);
    expect(
      group.physicalVolumes.map(({ key, device, devSize, peStart, peCount }) => [
        key,
        device,
        devSize,
        peStart,
        peCount,
      ]),
    ).toEqual([
      ['pv0', '/dev/sda', 131_072, 2048, 15],
      ['pv1', '/dev/sdb', 264_192, 2048, 32],
    ]);
    expect(groupExtents(group)).toEqual({ total: 47, free: 47 });
    expect([missing, stale]).toEqual([[], []]);
  });

  it('the group of the walk-through has 7681 extents of 4 MiB', () => {
    const machine = new TestMachine([64]).pvCreate();
    const [found] = orphansOf(machine.scan());
    const label = { ...found!.label, deviceSize: 62_926_542 * 512 };
    const device = { ...found!.device, sectors: 62_926_542 };
    const group = createGroup({ name: 'my-vg1', id: machine.uuid(), isClustered: true }, [
      { ...found!, label, device },
    ]);
    expect(group.physicalVolumes[0]!.peCount).toBe(7681);
    expect(group.status).toEqual(['RESIZEABLE', 'READ', 'WRITE', 'CLUSTERED']);
    expect(extentsFor(group, 20 * 1024 ** 3)).toBe(5120);
    expect(extentsFor(group, 1)).toBe(1);
  });

  it.each([
    ['a name with a blank', { name: 'my vg' }, 'bad-name'],
    ['an empty name', { name: '' }, 'bad-name'],
    ['a name with a hyphen first', { name: '-vg' }, 'bad-name'],
    ['a directory', { name: '..' }, 'bad-name'],
    ['a long name', { name: 'v'.repeat(128) }, 'bad-name'],
    ['an extent of three sectors', { name: 'vg', extentSize: 3 }, 'bad-argument'],
    ['extents larger than the disk', { name: 'vg', extentSize: 2 ** 20 }, 'no-space'],
  ])('refuses %s', (_, wanted, code) => {
    const machine = new TestMachine([64]).pvCreate();
    const create = () => createGroup({ id: machine.uuid(), ...wanted }, orphansOf(machine.scan()));
    expect(create).toThrow(expect.objectContaining({ name: 'VolumeError', code }));
  });

  it('refuses a group without disks, and a disk of another group', () => {
    const machine = new TestMachine([64]).pvCreate();
    expect(() => createGroup({ name: 'vg', id: machine.uuid() }, [])).toThrow('Please enter physical volume name(s)');
    machine.vgCreate('first');
    const members = machine.scan().physicalVolumes;
    expect(() => createGroup({ name: 'second', id: machine.uuid() }, members)).toThrow(
      "Physical volume '/dev/sda' is already in volume group 'first'",
    );
  });

  it('the clustered flag is set and taken away', () => {
    const machine = new TestMachine([64]).pvCreate();
    machine.vgCreate('my-vg1', { isClustered: true });
    expect(isClustered(machine.group().group)).toBe(true);
    machine.change((group) => setClustered(group, false));
    expect(isClustered(machine.group().group)).toBe(false);
    expect(setClustered(setClustered(machine.group().group, true), true).status).toContain('CLUSTERED');
  });
});

describe('vgextend, vgreduce, vgremove', () => {
  it('a disk comes and goes', () => {
    const machine = new TestMachine([64, 64]).pvCreate(2);
    const [first, second] = orphansOf(machine.scan());
    const group = createGroup({ name: 'my-vg1', id: machine.uuid() }, [first!]);
    finish(commitGroup(group, [first!], machine.options));
    machine.change((each) => extendGroup(each, [second!]));
    expect(machine.group().group.physicalVolumes.map(({ key }) => key)).toEqual(['pv0', 'pv1']);
    expect(machine.scan().physicalVolumes.map(({ label }) => label.extension!.flags)).toEqual([1, 1]);
    machine.change((each) => reduceGroup(each, second!.label.uuid));
    finish(releasePhysicalVolume(second!));
    expect(orphansOf(machine.scan()).map(({ device }) => device.path)).toEqual(['/dev/sdb']);
    expect(machine.scan().physicalVolumes.map(({ label }) => label.extension!.flags)).toEqual([1, 0]);
    expect(machine.group().group).toMatchObject({ seqno: 3, physicalVolumes: [{ key: 'pv0' }] });
  });

  it('refuses the last disk, one in use, and one that is not there', () => {
    const machine = new TestMachine([64, 64]).pvCreate();
    const group = createVolume(machine.vgCreate(), machine.newVolume('a', 5));
    const [pv0, pv1] = group.physicalVolumes;
    expect(() => reduceGroup(group, pv0!.id)).toThrow('Physical volume "/dev/sda" still in use');
    expect(() => reduceGroup({ ...group, physicalVolumes: [pv1!] }, pv1!.id)).toThrow("Can't remove final physical");
    expect(() => reduceGroup(group, 'x')).toThrow('Physical Volume "x" not found in Volume Group "my-vg1"');
  });

  it('a group without volumes goes', () => {
    const machine = new TestMachine([64, 64]).pvCreate();
    machine.vgCreate();
    const withVolume = machine.change((group) => createVolume(group, machine.newVolume('a', 1)));
    const remove = (group: VolumeGroup) => () => finish(removeGroup(group, machine.scan().physicalVolumes));
    expect(remove(withVolume)).toThrow('Volume group "my-vg1" still contains 1 logical volume(s)');
    remove(machine.change((group) => removeVolume(group, 'a')))();
    expect(machine.scan().groups).toEqual([]);
    expect(orphansOf(machine.scan())).toHaveLength(2);
    expect(() => machine.group()).toThrow('Volume group "my-vg1" not found');
  });
});

describe('lvcreate, lvextend, lvreduce, lvremove', () => {
  const machine = new TestMachine([128, 128, 128]).pvCreate();
  const empty = machine.vgCreate();
  const made = (...volumes: readonly (readonly [string, number])[]) =>
    volumes.reduce((group, [name, extents]) => createVolume(group, machine.newVolume(name, extents)), empty);
  const holes = ['b', 'd'].reduce(removeVolume, made(['a', 5], ['b', 3], ['c', 4], ['d', 2], ['e', 6]));

  it.each([
    ['the first run that is large enough', holes, 'x', 2, 'pv0:5+2'],
    ['a run behind the holes', holes, 'x', 4, 'pv0:20+4'],
    ['another disk', holes, 'x', 20, 'pv1:0+20'],
    ['the largest runs where none is large enough', holes, 'x', 40, 'pv1:0+31 pv2:0+9'],
    ['all there is', made(), 'x', 93, 'pv0:0+31 pv1:0+31 pv2:0+31'],
  ])('a new volume takes %s', (_, group, name, extents, places) => {
    expect(placesOf(createVolume(group, machine.newVolume(name, extents)), name)).toBe(places);
  });

  it.each([
    ['in place', 'e', 5, 'pv0:14+11'],
    ['in place as far as that goes, then on the same disk', 'a', 6, 'pv0:0+8 pv0:20+3'],
    ['on another disk', 'e', 20, 'pv0:14+17 pv1:0+9'],
  ])('a volume grows %s', (_, name, extents, places) => {
    expect(placesOf(extendVolume(holes, name, extents), name)).toBe(places);
  });

  it('a volume shrinks from its end', () => {
    const group = extendVolume(holes, 'a', 6);
    expect(placesOf(reduceVolume(group, 'a', 2), 'a')).toBe('pv0:0+8 pv0:20+1');
    expect(placesOf(reduceVolume(group, 'a', 4), 'a')).toBe('pv0:0+7');
    expect(() => reduceVolume(group, 'a', 11)).toThrow('New size of 0 not permitted');
  });

  it('only the disks that are named are used', () => {
    const on = [empty.physicalVolumes[2]!.id];
    expect(placesOf(createVolume(empty, { ...machine.newVolume('x', 3), on }), 'x')).toBe('pv2:0+3');
    const create = () => createVolume(empty, { ...machine.newVolume('x', 32), on });
    expect(create).toThrow('Volume group "my-vg1" has insufficient free space (31 extents): 32 required.');
  });

  it('disks that are not allocatable, or missing, are not used', () => {
    const [pv0, pv1, pv2] = empty.physicalVolumes;
    const physicalVolumes = [{ ...pv0!, status: [] }, { ...pv1!, flags: ['MISSING'] }, pv2!];
    const group = createVolume({ ...empty, physicalVolumes }, machine.newVolume('x', 3));
    expect(placesOf(group, 'x')).toBe('pv2:0+3');
  });

  it.each([
    ['a name in use', () => createVolume(holes, machine.newVolume('a', 1)), 'exists'],
    ['a reserved name', () => createVolume(holes, machine.newVolume('snapshot1', 1)), 'bad-name'],
    ['a name of a hidden volume', () => createVolume(holes, machine.newVolume('a_mlog', 1)), 'bad-name'],
    ['no extents', () => createVolume(holes, machine.newVolume('x', 0)), 'bad-argument'],
    ['half an extent', () => createVolume(holes, machine.newVolume('x', 0.5)), 'bad-argument'],
    ['more than there is', () => createVolume(holes, machine.newVolume('x', 94)), 'no-space'],
    [
      'a volume more than the group may have',
      () => createVolume({ ...holes, maxLv: 3 }, machine.newVolume('x', 1)),
      'no-space',
    ],
    ['a volume that is not there', () => extendVolume(holes, 'x', 1), 'not-found'],
    [
      'an exported group',
      () => createVolume({ ...holes, status: ['EXPORTED'] }, machine.newVolume('x', 1)),
      'unsupported',
    ],
    ['a read-only group', () => removeVolume({ ...holes, status: ['READ'] }, 'a'), 'unsupported'],
  ])('%s is refused', (_, operate, code) => {
    expect(operate).toThrow(expect.objectContaining({ name: 'VolumeError', code }));
  });

  it('striped volumes and others are left alone', () => {
    const stripes = [
      { on: 'pv1', extent: 0 },
      { on: 'pv2', extent: 0 },
    ];
    const segment = { startExtent: 0, extentCount: 4, type: 'striped', stripes, other: [] };
    const [a] = made(['a', 4]).logicalVolumes;
    const group = { ...empty, logicalVolumes: [{ ...a!, segments: [segment] }] };
    expect(() => removeVolume(group, 'a')).toThrow('my-vg1/a has 2 stripes, expected a linear volume');
    expect(freeExtents(group, group.physicalVolumes[1]!)).toBe(29);
    const mirror = { ...group, logicalVolumes: [{ ...a!, segments: [{ ...segment, type: 'mirror' }] }] };
    expect(() => extendVolume(mirror, 'a', 1)).toThrow('my-vg1/a has a segment of type mirror');
  });
});

describe('the two phases of a commit', () => {
  /** A device that loses everything after so many writes. */
  function failing(device: SectorDevice, writes: number): SectorDevice {
    let left = writes;
    return {
      ...device,
      *write(sector, bytes) {
        if (left === 0) return 'EIO';
        left -= 1;
        return yield* device.write(sector, bytes);
      },
    };
  }

  it.each([
    [0, 0, 'a', 'the text of the first disk is not written'],
    [1, 0, 'a', 'its header is not precommitted'],
    [9, 0, 'a', 'the text of the second disk is not written'],
    [9, 1, 'a', 'its header is not precommitted'],
    [2, 9, 'a', 'the first disk is not committed'],
    [9, 2, 'b', 'the second disk is not committed, the first is'],
  ])('with %i writes of the first disk and %i of the second, a reader sees volume %s: %s', (first, second, name) => {
    const machine = new TestMachine([64, 64]).pvCreate();
    machine.vgCreate();
    machine.change((group) => createVolume(group, machine.newVolume('a', 3)));
    const { group, members } = machine.group();
    const [sda, sdb] = [...members.values()];
    const broken = [
      { ...sda!, device: failing(sda!.device, first) },
      { ...sdb!, device: failing(sdb!.device, second) },
    ];
    const next = createVolume(removeVolume(group, 'a'), machine.newVolume('b', 5));
    expect(() => finish(commitGroup(next, broken, machine.options))).toThrow(/: write of sectors \d+ \+ \d+: EIO/);
    expect(machine.scan().defects).toEqual([]);
    expect(machine.group().group.logicalVolumes.map((each) => each.name)).toEqual([name]);
    expect(machine.group().stale).toHaveLength(name === 'b' ? 1 : 0);
    // The next commit makes both disks equal again.
    machine.change((each) => createVolume(each, machine.newVolume('c', 1)));
    expect(machine.group().stale).toEqual([]);
    for (const disk of [0, 1]) expect(headerOf(machine, disk).precommitted.offset).toBe(0);
  });

  it('a failed precommit is taken back on the disks before', () => {
    const machine = new TestMachine([64, 64]).pvCreate();
    const group = machine.vgCreate();
    const [sda, sdb] = machine.scan().physicalVolumes;
    const broken = [sda!, { ...sdb!, device: failing(sdb!.device, 0) }];
    expect(() => finish(commitGroup(group, broken, machine.options))).toThrow('/dev/sdb');
    expect(headerOf(machine, 0).precommitted.offset).toBe(0);
  });

  it('texts go round the area: five thousand commits, each read back', () => {
    const machine = new TestMachine([8]).pvCreate();
    let group = machine.vgCreate();
    let wrapped = 0;
    for (let i = 0; i < 5000; i++) {
      group = machine.change((each) => ({ ...each, tags: [`t${i}`, 'x'.repeat((i * 37) % 2000)] }));
      const { committed } = headerOf(machine, 0);
      if (committed.offset + committed.size > AREA.size) wrapped += 1;
    }
    expect(group.seqno).toBe(5001);
    expect(machine.group().group).toEqual(group);
    expect(wrapped).toBeGreaterThan(0);
  });

  it('a text too large for its area leaves the old one', () => {
    const machine = new TestMachine([8]).pvCreate();
    const group = machine.vgCreate();
    expect(() => machine.change((each) => ({ ...each, tags: ['x'.repeat(1_044_000)] }))).toThrow(
      'it is too small for both',
    );
    expect(machine.group().group).toEqual(group);
  });

  it('nothing is written when a disk is missing, has changed hands, or has a newer text', () => {
    const machine = new TestMachine([64, 64]).pvCreate();
    const group = machine.vgCreate();
    const members = machine.scan().physicalVolumes;
    const commit =
      (each: VolumeGroup, on = members) =>
      () =>
        finish(commitGroup(each, on, machine.options));
    expect(commit(group, [members[0]!])).toThrow('Cannot change VG my-vg1 while PVs are missing');
    machine.change((each) => each);
    expect(commit(group)).toThrow('/dev/sda has seqno 2 of my-vg1, expected at most 1: it has changed');
    expect(commit({ ...group, id: machine.uuid() })).toThrow(
      "Physical volume '/dev/sda' is already in volume group 'my-vg1'",
    );
    const swapped = members.map((each, i) => ({ ...each, device: members[1 - i]!.device }));
    expect(commit(group, swapped)).toThrow('/dev/sdb is not physical volume');
    expect(machine.group().group.seqno).toBe(2);
  });
});

describe('a text that is whole and not understood', () => {
  const machine = new TestMachine([64]).pvCreate();
  machine.vgCreate();
  const [found] = machine.scan().physicalVolumes;
  const text = 'my-vg1 { format = "lvm3" } contents = "Text Format Volume Group" version = 1\n\0';
  finish(
    commitMetadata(machine.devices[0]!, finish(precommitMetadata(machine.devices[0]!, found!.areas[0]!.header!, text))),
  );

  it('is told, and keeps its physical volume from everybody', () => {
    const scan = machine.scan();
    expect(scan.defects.map(({ error }) => error.message)).toEqual([
      expect.stringMatching(/^metadata text at byte \d+: my-vg1: format "lvm3", expected "lvm2"$/),
    ]);
    expect([scan.groups, orphansOf(scan)]).toEqual([[], []]);
    const create = () => createGroup({ name: 'vg', id: machine.uuid() }, scan.physicalVolumes);
    expect(create).toThrow("Physical volume '/dev/sda' is already in volume group 'unknown'");
    expect(() => machine.pvCreate()).toThrow('of volume group "unknown" without -ff');
    expect(() => finish(pvRemove(machine.devices[0]!))).toThrow('belongs to Volume Group unknown');
  });

  it('is not written over by a commit of the group as it was', () => {
    const before = found!.areas[0]!.metadata!.group;
    expect(() => finish(commitGroup(before, [found!], machine.options))).toThrow(
      '/dev/sda: not understood: metadata text at',
    );
  });

  it('goes when pvcreate is forced', () => {
    finish(pvCreate(machine.devices[0]!, { uuid: machine.uuid(), isForced: true }));
    expect(orphansOf(machine.scan())).toHaveLength(1);
  });
});

describe('a scan', () => {
  it('takes the newest text, and says who is behind, missing or damaged', () => {
    const machine = new TestMachine([64, 64, 64]).pvCreate();
    machine.vgCreate();
    const old = new Uint8Array(1_044_480);
    machine.stores[1]!.read(8, 2040, old);
    machine.change((group) => createVolume(group, machine.newVolume('a', 3)));
    machine.stores[1]!.write(8, old);
    machine.stores[2]!.write(9, new Uint8Array(51_200));
    const { group, stale, missing } = machine.group();
    expect(group.seqno).toBe(2);
    expect(stale.map(({ device }) => device.path)).toEqual(['/dev/sdb', '/dev/sdc']);
    expect(missing).toEqual([]);
    expect(machine.scan().defects.map(({ device, error }) => `${device.path}: ${error.message}`)).toEqual([
      expect.stringMatching(
        /^\/dev\/sdc: metadata text at byte \d+: checksum 0x[0-9a-f]+, expected 0x[0-9a-f]+ as the mda_header says$/,
      ),
    ]);
    machine.stores[2]!.write(1, new Uint8Array(512));
    expect(machine.group().missing).toEqual([group.physicalVolumes[2]!.id]);
  });

  it('two groups of one name are not confused', () => {
    const machine = new TestMachine([64, 64]).pvCreate();
    for (const found of orphansOf(machine.scan())) {
      finish(commitGroup(createGroup({ name: 'vg', id: machine.uuid() }, [found]), [found], machine.options));
    }
    expect(() => machine.group('vg')).toThrow(/^two volume groups are called "vg": \S+ and \S+$/);
  });

  it('a label in another sector is found', () => {
    const machine = new TestMachine([64]).pvCreate();
    const { label } = machine.scan().physicalVolumes[0]!;
    machine.stores[0]!.write(3, encodeLabel({ ...label, sector: 3 }));
    machine.stores[0]!.write(1, new Uint8Array(512));
    expect(machine.scan().physicalVolumes.map((found) => found.label.sector)).toEqual([3]);
    expect(machine.vgCreate().physicalVolumes[0]!.id).toBe(label.uuid);
  });
});
