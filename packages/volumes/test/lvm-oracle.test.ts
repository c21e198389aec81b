import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hex, Prng } from '@quorate/kernel';
import { describe, expect } from 'vitest';
import { itUnless } from '../../../tooling/oracle.js';
import { isThorough } from '../../../tooling/thorough.js';
import {
  changeGroupTag,
  changeVolumeTag,
  checkGroup,
  createVolume,
  decodeMetadataText,
  extendVolume,
  extentsFor,
  findVolume,
  finish,
  groupExtents,
  lvDisplay,
  lvsReport,
  newPvDisplay,
  pvCreate,
  pvDisplay,
  pvscanReport,
  pvsReport,
  reduceVolume,
  removeGroup,
  removeVolume,
  setClustered,
  type VolumeGroup,
  vgDisplay,
  vgsDevicesReport,
  vgsReport,
} from '../src/index.js';
import { lacksLvm, type RealLvm, withLvm } from './lvm-oracle.js';
import { TestMachine } from './machine.js';

/** The text with the names of the test machine's disks in place of the loop devices', and columns as narrow. */
function renamed(text: string, lvm: RealLvm): string {
  return lvm.devices.reduce((each, device, i) => each.replaceAll(device.padEnd(10), `/dev/sd${'abcdefgh'[i]}  `), text);
}

/** Runs of blanks as one: the names of disks differ in length. */
function squeezed(text: string): string {
  return text.replace(/ +/g, ' ').replace(/ $/gm, '');
}

/** What vgcfgbackup says that the group is. */
function backupOf(lvm: RealLvm, name: string): VolumeGroup {
  const file = join(tmpdir(), `volumes-backup-${process.pid}`);
  lvm.output('vgcfgbackup', '-f', file, name);
  return decodeMetadataText(readFileSync(file, 'utf8')).group;
}

function withoutDevices(group: VolumeGroup): VolumeGroup {
  return { ...group, physicalVolumes: group.physicalVolumes.map((each) => ({ ...each, device: '' })) };
}

const LACKS = lacksLvm();

describe('LVM reads what is written here', () => {
  for (const version of [1, 2] as const) {
    itUnless(LACKS, `a group with two volumes, header extension ${version}: it says the same in its own words`, () => {
      const machine = new TestMachine([64, 129, 64]).pvCreate(version);
      machine.vgCreate();
      machine.change((group) => createVolume(group, machine.newVolume('my-store1', 20)));
      machine.change((group) => createVolume(group, machine.newVolume('b', 17)));
      machine.change((group) => extendVolume(group, 'my-store1', 20));
      machine.change((group) => changeVolumeTag(group, 'b', { change: 'add', tag: 'my-vm1' }));
      machine.change((group) => changeGroupTag(group, { change: 'add', tag: 'a+b' }));
      const { group } = machine.group();
      withLvm(machine.stores, (lvm) => {
        const scan = machine.scan();
        expect(squeezed(renamed(lvm.output('pvs', '--units', 'h'), lvm))).toBe(squeezed(pvsReport(scan)));
        expect(squeezed(renamed(lvm.output('pvscan'), lvm))).toBe(squeezed(pvscanReport(scan)));
        expect(lvm.output('vgs', '--units', 'h')).toBe(vgsReport(scan.groups));
        const asked = ['--noheadings', '--separator', ':', '--sort', 'pv_uuid', '--options', 'vg_attr,pv_name'];
        expect(squeezed(renamed(lvm.output('vgs', ...asked), lvm))).toBe(squeezed(vgsDevicesReport(scan.groups, ':')));
        expect(lvm.output('lvs', '--units', 'h').replaceAll('XX', '--')).toBe(lvsReport(scan.groups));
        const tags = { fields: ['name', 'tags', 'attr'] };
        expect(lvm.output('vgs', '-o', 'name,tags,attr')).toBe(vgsReport(scan.groups, tags));
        const bare = { ...tags, hasHeadings: false };
        expect(lvm.output('lvs', '--noheadings', '-o', 'name,tags,attr').replaceAll('XX', '--')).toBe(
          lvsReport(scan.groups, undefined, bare),
        );
        for (const [i, physicalVolume] of group.physicalVolumes.entries()) {
          const theirs = renamed(lvm.output('pvdisplay', '--units', 'h', lvm.devices[i]!), lvm);
          expect(squeezed(theirs)).toBe(squeezed(pvDisplay(scan.groups[0]!, physicalVolume)));
        }
        expect(lvm.output('vgdisplay', '--units', 'h')).toBe(vgDisplay(scan.groups[0]!));
        const displays = group.logicalVolumes.map((each) => lvDisplay(group, each, undefined)).join('');
        // LVM cannot know that without device-mapper.
        expect(lvm.output('lvdisplay', '--units', 'h')).toBe(displays.replaceAll(/ {2}LV Status .*\n/g, ''));
        expect(withoutDevices(backupOf(lvm, 'my-vg1'))).toEqual(withoutDevices(group));
        const { stderr } = lvm.run('vgck', 'my-vg1');
        expect(stderr.replace(/^.*is using an old PV header, modify the VG to update.\n/gm, '')).toBe('');
        for (const device of lvm.devices) expect(lvm.run('pvck', device).status).toBe(0);
      });
    });
  }

  itUnless(LACKS, 'physical volumes without group', () => {
    const machine = new TestMachine([64, 64]).pvCreate();
    withLvm(machine.stores, (lvm) => {
      const scan = machine.scan();
      expect(squeezed(renamed(lvm.output('pvscan'), lvm))).toBe(squeezed(pvscanReport(scan)));
      expect(squeezed(renamed(lvm.output('pvs', '--units', 'h'), lvm))).toBe(squeezed(pvsReport(scan)));
      const theirs = squeezed(renamed(lvm.output('pvdisplay', '--units', 'h'), lvm)).replace(
        /"(\/dev\/sd.) +"/g,
        '"$1"',
      );
      const ours = squeezed(scan.physicalVolumes.map(newPvDisplay).join(''));
      expect(
        theirs.replaceAll(/"\/dev\/loop\d+"/g, (name) => `"/dev/sd${'ab'[lvm.devices.indexOf(name.slice(1, -1))]}"`),
      ).toBe(ours);
    });
  });

  itUnless(LACKS, 'a clustered group: LVM of today skips it until it is told to force the lock type', () => {
    const machine = new TestMachine([64]).pvCreate();
    machine.vgCreate('my-vg1', { isClustered: true });
    machine.change((group) => createVolume(group, machine.newVolume('my-store1', 5)));
    withLvm(machine.stores, (lvm) => {
      expect(lvm.run('vgs').stderr).toContain('Skipping clustered VG my-vg1.');
      expect(lvm.output('pvck', '--dump', 'metadata', lvm.devices[0]!)).toContain('"WRITE", "CLUSTERED"]');
      lvm.output('vgchange', '-y', '--lock-type', 'none', '--lock-opt', 'force', 'my-vg1');
      expect(lvm.output('lvs', '--noheadings', '-o', 'lv_name')).toBe('  my-store1\n');
    });
    expect(setClustered(machine.group().group, false)).toEqual(machine.group().group);
  });
});

describe("the walk-through's disk", () => {
  itUnless(LACKS, 'LVM finds my-vg1 and my-store1 on a partition of 30 GB', () => {
    const machine = new TestMachine([62_926_542 / 2048]).pvCreate();
    machine.vgCreate();
    machine.change((group) => createVolume(group, machine.newVolume('my-store1', extentsFor(group, 20 * 1024 ** 3))));
    const scan = machine.scan();
    withLvm(machine.stores, (lvm) => {
      expect(squeezed(renamed(lvm.output('pvs', '--units', 'h'), lvm))).toBe(squeezed(pvsReport(scan)));
      expect(lvm.output('vgs', '--units', 'h')).toBe(vgsReport(scan.groups));
      expect(lvm.output('lvs', '--units', 'h').replaceAll('XX', '--')).toBe(lvsReport(scan.groups));
      const theirs = renamed(lvm.output('pvdisplay', '--units', 'h'), lvm);
      expect(squeezed(theirs)).toBe(squeezed(pvDisplay(scan.groups[0]!, machine.group().group.physicalVolumes[0]!)));
      expect(squeezed(theirs)).toContain('PV Size 30.01 GiB / not usable 1.85 MiB\n');
    });
  });
});

describe('what LVM writes is read here', () => {
  itUnless(LACKS, 'pvcreate with a given identifier writes the same first MiB, byte for byte', () => {
    const theirs = new TestMachine([64]);
    const uuid = theirs.uuid();
    withLvm(theirs.stores, (lvm) => lvm.output('pvcreate', '--uuid', uuid, '--norestorefile', lvm.devices[0]!));
    const ours = new TestMachine([64]);
    finish(pvCreate(ours.devices[0]!, { uuid, extensionVersion: 2 }));
    const [a, b] = [theirs, ours].map(({ stores: [store] }) =>
      [...store!.pages()].map((page) => [page.offset, hex(page.bytes)]),
    );
    expect(b).toEqual(a);
  });

  itUnless(LACKS, 'vgremove leaves the same headers', () => {
    const [theirs, ours] = [new TestMachine([64]).pvCreate(2), new TestMachine([64]).pvCreate(2)];
    for (const machine of [theirs, ours]) machine.vgCreate();
    withLvm(theirs.stores, (lvm) => lvm.output('vgremove', 'my-vg1'));
    finish(removeGroup(ours.group().group, ours.scan().physicalVolumes));
    expect(ours.scan().physicalVolumes[0]!.label).toEqual(theirs.scan().physicalVolumes[0]!.label);
    expect(ours.scan().physicalVolumes[0]!.areas).toEqual(theirs.scan().physicalVolumes[0]!.areas);
  });

  itUnless(LACKS, 'a group with volumes that grew around each other', () => {
    const machine = new TestMachine([64, 129, 64]);
    withLvm(machine.stores, (lvm) => {
      const [a, b, c] = lvm.devices;
      lvm.output('pvcreate', a!, b!, c!);
      lvm.output('vgcreate', 'my-vg1', a!, b!);
      for (const name of ['my-store1', 'b', 'c'])
        lvm.output('lvcreate', '-an', '-Zn', '-Wn', '-l', '7', '-n', name, 'my-vg1');
      lvm.output('lvextend', '-l', '+9', 'my-vg1/my-store1');
      lvm.output('lvremove', '-y', 'my-vg1/b');
      lvm.output('lvcreate', '-an', '-Zn', '-Wn', '-l', '20', '-n', 'd', 'my-vg1');
    });
    const { group, stale, missing } = machine.group();
    expect(machine.scan().defects).toEqual([]);
    expect([stale, missing]).toEqual([[], []]);
    expect(checkGroup(group)).toEqual([]);
    expect(group.logicalVolumes.map(({ name }) => name)).toEqual(['my-store1', 'c', 'd']);
    expect(machine.scan().physicalVolumes.map(({ label }) => label.extension)).toEqual([
      { version: 2, flags: 1, bootloaderAreas: [] },
      { version: 2, flags: 1, bootloaderAreas: [] },
      { version: 2, flags: 0, bootloaderAreas: [] },
    ]);
  });
});

describe('volumes of kinds that are not made here', () => {
  itUnless(LACKS, 'a striped volume is kept by a commit of ours, and LVM finds it as it was', () => {
    const machine = new TestMachine([64, 64]);
    withLvm(machine.stores, (lvm) => {
      lvm.output('pvcreate', ...lvm.devices);
      lvm.output('vgcreate', '--addtag', 'seed', 'my-vg1', ...lvm.devices);
      lvm.output('lvcreate', '-an', '-Zn', '-Wn', '-i', '2', '-l', '4', '-n', 'striped', 'my-vg1');
    });
    const before = machine.group().group;
    machine.change((group) => createVolume(group, machine.newVolume('linear', 5)));
    withLvm(machine.stores, (lvm) => {
      const { logicalVolumes, tags } = backupOf(lvm, 'my-vg1');
      expect([logicalVolumes[0], tags]).toEqual([before.logicalVolumes[0], ['seed']]);
      const [, ...columns] = lvm
        .output('lvs', '--noheadings', '-o', 'lv_name,stripes,stripe_size', 'my-vg1/striped')
        .trim()
        .split(/ +/);
      expect(columns).toEqual(['2', '64.00k']);
    });
  });
});

describe('both write in turn', () => {
  /** One operation on a group, and the command of LVM that does the same. */
  function draw(prng: Prng, group: VolumeGroup, machine: TestMachine): [string[], (group: VolumeGroup) => VolumeGroup] {
    const { free } = groupExtents(group);
    const names = group.logicalVolumes.map(({ name }) => name);
    const name = names[prng.below(Math.max(1, names.length))];
    const extents = 1 + prng.below(Math.max(1, Math.min(free, 12)));
    const kind = name === undefined ? 0 : prng.below(4);
    const size =
      name === undefined ? 0 : findVolume(group, name)!.segments.reduce((sum, each) => sum + each.extentCount, 0);
    if (kind === 1 && free > 0)
      return [['lvextend', '-l', `+${extents}`, `my-vg1/${name}`], (g) => extendVolume(g, name!, extents)];
    if (kind === 2 && size > 1)
      return [['lvreduce', '-f', '-l', '-1', `my-vg1/${name}`], (g) => reduceVolume(g, name!, 1)];
    if (kind === 3 || free === 0) return [['lvremove', '-y', `my-vg1/${name}`], (g) => removeVolume(g, name!)];
    const wanted = machine.newVolume(`v${group.seqno}`, extents);
    const command = ['lvcreate', '-an', '-Zn', '-Wn', '-l', String(extents), '-n', wanted.name, 'my-vg1'];
    return [command, (g) => createVolume(g, wanted)];
  }

  for (const seed of isThorough ? [1, 2, 3] : [1]) {
    itUnless(LACKS, `sequence ${seed}: each finds what the other wrote`, () => {
      const machine = new TestMachine([64, 129]).pvCreate(2);
      const prng = Prng.derive({ hi: 0, lo: seed }, 'volumes/turns');
      machine.vgCreate();
      for (let turn = 0; turn < 5; turn++) {
        for (let i = 0; i < 3; i++) machine.change(draw(prng, machine.group().group, machine)[1]);
        const before = machine.group().group;
        withLvm(machine.stores, (lvm) => {
          expect(withoutDevices(backupOf(lvm, 'my-vg1'))).toEqual(withoutDevices(before));
          expect(lvm.run('vgck', 'my-vg1')).toEqual({ status: 0, stdout: '', stderr: '' });
          lvm.output(...draw(prng, before, machine)[0]);
        });
        const { group, stale } = machine.group();
        expect(group.seqno).toBe(before.seqno + 1);
        expect([checkGroup(group), stale, machine.scan().defects]).toEqual([[], [], []]);
      }
    });
  }
});
