import { beforeEach, describe, expect, it } from 'vitest';
import { type Attributes, type Ending, FakeMachine } from './agents-os.js';

let machine: FakeMachine;

beforeEach(() => {
  machine = new FakeMachine();
});

describe.each([
  ['clusterfs', 'gfs2', { force_unmount: '1' }],
  ['fs', 'ext4', {}],
] as const)('%s', (type, fstype, unmounting) => {
  const attributes = {
    name: 'data',
    device: '/dev/mapper/my--vg1-my--store1',
    mountpoint: '/mydata',
    fstype,
    ...unmounting,
  };
  const { device, mountpoint } = attributes;
  const start = (more: Attributes = {}): Ending => machine.agent(type, 'start', { ...attributes, ...more });
  const stop = (more: Attributes = {}): Ending => machine.agent(type, 'stop', { ...attributes, ...more });
  const status = (depth: number, more: Attributes = {}): number =>
    machine.agent(type, 'status', { ...attributes, ...more }, depth).status;

  beforeEach(() => machine.makeDirectories('/mydata/x'));

  it('mounts with type and options, and is started then', () => {
    expect(status(0)).toBe(7);
    expect(start({ options: 'noatime,acl' })).toMatchObject({ status: 0, seconds: 0 });
    expect(machine.mounts).toEqual([{ device, directory: mountpoint, type: fstype, options: 'noatime,acl' }]);
    expect(machine.logged('info')).toEqual([`info [${type}] mounting ${device} on /mydata`]);
    expect(start()).toMatchObject({ status: 0, seconds: 0 });
    expect(machine.done).toEqual([]);
    expect(status(0)).toBe(0);
  });

  it('makes the mount point if there is none', () => {
    expect(start({ mountpoint: '/srv/www/data/' }).status).toBe(0);
    expect(machine.mounts[0]?.directory).toBe('/srv/www/data');
    expect(machine.logged('err')).toEqual([
      `err [${type}] start_filesystem: Creating mount point /srv/www/data for device ${device}`,
    ]);
  });

  it('tries three times, 3 s apart', () => {
    machine.failures.set(device, 'EBUSY');
    expect(start()).toMatchObject({ status: 1, seconds: 9 });
    const command = `mount -t ${fstype} ${device} /mydata`;
    expect(machine.done).toEqual(Array(3).fill(`run ${command}`));
    expect(machine.logged('err')).toEqual(Array(3).fill(`err [${type}] '${command}' failed, error=32`));
  });

  it('knows both names of a logical volume', () => {
    start();
    expect(status(0, { device: '/dev/my-vg1/my-store1' })).toBe(0);
    expect(status(0, { device: '/dev/my-vg1/my-store2' })).toBe(7);
  });

  it('takes a device that is mounted elsewhere for started, with a warning', () => {
    machine.mounts.push({ device, directory: '/mnt', type: fstype, options: '' });
    expect(start().status).toBe(0);
    expect(machine.logged('warning')).toEqual([
      `warning [${type}] Device ${device} is mounted on /mnt instead of /mydata`,
    ]);
  });

  it.each<[string, Attributes, (() => void) | undefined, number]>([
    ['no mount point: nothing to do', { mountpoint: '' }, undefined, 0],
    ['a relative mount point', { mountpoint: 'mydata' }, undefined, 2],
    ['no device', { device: '' }, undefined, 2],
    ['a file as mount point', { mountpoint: '/mydata/a' }, () => machine.file('/mydata/a', ''), 2],
    ['a mount point that is taken', {}, () => machine.mounts.push({ ...other, directory: '/mydata' }), 2],
    ['a mount point that cannot be made', { mountpoint: '/srv' }, () => machine.failures.set('/srv', 'EROFS'), 1],
  ])('start with %s', (_name, more, arrange, exit) => {
    arrange?.();
    expect(start(more)).toMatchObject({ status: exit, seconds: exit === 0 ? 0 : 9 });
    expect(machine.mounts.some((mounted) => mounted.device === device)).toBe(false);
  });

  it('stops, and a second stop is fine', () => {
    start();
    expect(stop()).toMatchObject({ status: 0, seconds: 0 });
    expect(machine.mounts).toEqual([]);
    expect(stop()).toMatchObject({ status: 0, seconds: 0 });
    expect(machine.logged('info')).toEqual([`info [${type}] ${device} is not mounted`]);
    expect(status(0)).toBe(7);
  });

  it.each([
    ['no mount point: nothing to do', { mountpoint: ' ' }, 0],
    ['a relative mount point', { mountpoint: 'mydata' }, 2],
    ['no device', { device: '' }, 5],
  ])('stop with %s', (_name, more, exit) => {
    expect(stop(more).status).toBe(exit);
  });

  it.each([
    ['0', undefined],
    ['yes', ['run fuser -k -TERM -m /mydata', 'run fuser -k -KILL -m /mydata', 'run fuser -k -KILL -m /mydata']],
  ])('tries to unmount three times, 5 s apart; force_unmount %s', (force, kills = []) => {
    if (type === 'clusterfs' && force === '0') return;
    start();
    machine.failures.set('umount /mydata', 'EBUSY');
    expect(stop({ force_unmount: force })).toMatchObject({ status: 1, seconds: 10 });
    expect(machine.done.filter((event) => event.startsWith('run fuser'))).toEqual(kills);
    expect(machine.done.filter((event) => event === 'run umount /mydata')).toHaveLength(3);
    expect(machine.logged('err', 'alert')).toEqual([`err [${type}] 'umount /mydata' failed, error=1`]);
  });

  it('resets the machine if it cannot unmount and self_fence is set', () => {
    start();
    machine.failures.set('umount /mydata', 'EBUSY');
    stop({ self_fence: 'on' });
    expect(machine.logged('alert')).toEqual([`alert [${type}] umount failed - REBOOTING`]);
    expect(machine.done.at(-1)).toBe('halt reboot');
  });

  const FILE = '/mydata/.writable_test.my-vm1';
  it.each<[number, string, Attributes, (() => void) | undefined, number, readonly string[]]>([
    [0, 'is content with the mount', {}, () => machine.failures.set('/mydata', 'EIO'), 0, []],
    [10, 'reads the directory', {}, undefined, 0, []],
    [10, 'fails if it cannot be read', {}, () => machine.failures.set('/mydata', 'EIO'), 1, []],
    [20, 'writes and removes a file', {}, undefined, 0, [`write ${FILE}`, `remove ${FILE}`]],
    [20, 'fails if it cannot write', {}, () => machine.failures.set(FILE, 'EROFS'), 1, []],
    [20, 'does not write if mounted read-only', { options: 'noatime,ro' }, undefined, 0, []],
    [20, 'with quick_status is content with the mount', { quick_status: '1' }, undefined, 0, []],
    [0, 'fails if the mount point is gone', {}, () => machine.files.delete('/mydata'), 1, []],
    [0, 'without a device', { device: '' }, undefined, 7, []],
  ])('status at depth %i %s', (depth, _name, more, arrange, exit, events) => {
    start();
    arrange?.();
    expect(status(depth, more)).toBe(exit);
    expect(machine.done).toEqual(events);
    if (exit === 1) expect(machine.logged('err').at(-1)).toBe(`err [${type}] fs:data: Mount point is not accessible!`);
  });

  it.each([
    [{}, 0, undefined],
    [{ fstype: '' }, 0, undefined],
    [{ mountpoint: '/later' }, 0, undefined],
    [{ name: '' }, 2, 'No file system name specified.'],
    [{ fstype: 'nfs' }, 2, 'File system type nfs not supported'],
    [{ device: '' }, 2, 'No device or label specified.'],
    [{ mountpoint: '' }, 2, 'No mount point specified.'],
    [{ mountpoint: '/mydata/a' }, 2, '/mydata/a exists but is not a directory.'],
  ])('validate-all of %j is %i', (more, exit, text) => {
    machine.file('/mydata/a', '');
    expect(machine.agent(type, 'validate-all', { ...attributes, ...more }).status).toBe(exit);
    expect(machine.logged('err')).toEqual(text === undefined ? [] : [`err [${type}] ${text}`]);
  });

  const other = { device: '/dev/sdz1', directory: '', type: 'ext3', options: '' };
});

describe('clusterfs alone', () => {
  const attributes = { name: 'data', device: '/dev/sdb1', mountpoint: '/mydata', fstype: 'gfs2' };

  it.each([
    ['no', '0', true, 'Not umounting /dev/sdb1 (clustered file system)'],
    ['1', '2', true, 'Not unmounting clusterfs:data - still in use by 2 other service(s)'],
    ['1', '0', false, undefined],
  ])('stop with force_unmount %s and %s other users leaves it mounted: %s', (force, references, stays, text) => {
    machine.makeDirectories('/mydata/x');
    machine.agent('clusterfs', 'start', attributes);
    const more = { force_unmount: force, RGMANAGER_meta_refcnt: references };
    expect(machine.agent('clusterfs', 'stop', { ...attributes, ...more }).status).toBe(0);
    expect(machine.mounts).toHaveLength(stays ? 1 : 0);
    if (text !== undefined) expect(machine.logged('debug')).toEqual([`debug [clusterfs] ${text}`]);
  });
});

describe('fs alone', () => {
  const attributes = { name: 'data', device: '/dev/sdb1', mountpoint: '/mydata' };
  const LOG = '/var/log/cluster/sdb1.fsck.log';

  beforeEach(() => {
    machine.makeDirectories('/mydata/x');
    machine.makeDirectories('/var/log/x');
  });

  it.each<[string, Attributes, number | undefined, number, boolean, readonly string[]]>([
    ['a file system with a journal', { fstype: 'ext3' }, 0, 0, false, []],
    ['a file system with a journal, forced', { fstype: 'ext3', force_fsck: '1' }, 0, 0, true, []],
    ['a file system without a journal', { fstype: 'ext2' }, 1, 0, true, []],
    ['a file system of no name', {}, 0, 0, true, []],
    [
      'a file system it does not know',
      { fstype: 'gfs2' },
      0,
      0,
      true,
      ["Unknown file system type 'gfs2' for device /dev/sdb1.  Assuming fsck is required."],
    ],
    ['a file system that is broken', { fstype: 'ext2' }, 4, 1, true, []],
    ['a machine without fsck', { fstype: 'ext2' }, undefined, 0, true, []],
  ])('start of %s', (_name, more, fsckStatus, exit, isChecked, warnings) => {
    if (fsckStatus !== undefined) {
      machine.programs.set('fsck', function* (_argv, os) {
        os.print('Inode 7 is broken.\n');
        return fsckStatus;
      });
    }
    expect(machine.agent('fs', 'start', { ...attributes, ...more }).status).toBe(exit);
    expect(machine.done.includes('run fsck -p /dev/sdb1')).toBe(isChecked);
    expect(machine.mounts).toHaveLength(exit === 0 ? 1 : 0);
    expect(machine.logged('warning')).toEqual(warnings.map((text) => `warning [fs] ${text}`));
    expect(machine.text(LOG)).toBe(exit === 0 ? undefined : 'Inode 7 is broken.\n'.repeat(3));
    if (exit !== 0) {
      expect(machine.logged('err')[0]).toBe(`err [fs] 'fsck -p /dev/sdb1' failed, error=4; check ${LOG} for errors`);
    }
  });
});
