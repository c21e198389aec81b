import { Checker, type Program, SECOND } from '@quorate/kernel';
import { SparseStore } from '@quorate/scsi';
import { invariants } from '@quorate/volumes';
import { describe, expect, it } from 'vitest';
import { askClvmd } from '../src/programs/lvm/clvmd-call.js';
import { checkConsole } from './console.js';
import { DEVICES, loneCluster, TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';
import { diskWithVolumes, partitionedDisk } from './volume.js';

const FILES = {
  '/etc/cluster/cluster.conf': loneCluster('  <rm/>\n'),
  '/etc/fstab': '/dev/mapper/vg--1-data /mydata gfs2 defaults 0 0\n',
  '/mydata/.keep': '',
};

/** Takes the lock of a group to write its metadata, and keeps it for so many seconds. */
const hold: Program = function* ([, group = '', seconds], os) {
  const lock = { group, process: os.pid };
  os.print(`${yield* askClvmd(os, { kind: 'lock-group', mode: 'write', ...lock })}\n`);
  yield* os.sleep(Number(seconds) * SECOND);
  os.print(`${yield* askClvmd(os, { kind: 'unlock-group', ...lock })}\n`);
  return 0;
};

function machine(programs: Readonly<Record<string, Program>> = {}, store = diskWithVolumes()): TestMachine {
  return new TestMachine({
    files: FILES,
    programs: { ...TEST_PROGRAMS, hold, ...programs },
    store,
    devices: [DEVICES[0]!],
  });
}

function booted(store = diskWithVolumes()): TestMachine {
  const node = machine({}, store);
  node.boot();
  node.runUntilLogged('runlevel 3 reached');
  return node;
}

it.each([
  ['volumes', 'a file system lies on a volume of a clustered group from boot to shutdown', diskWithVolumes],
  ['quorum-volume', 'a quorum disk lies on a volume', diskWithVolumes],
  [
    'blank',
    'a blank disk gets a partition, a group, a volume and a file system',
    () => new SparseStore({ blocks: 131_072 }),
  ],
  ['lvm', 'physical volumes, groups and volumes are made and removed', () => partitionedDisk().store],
  ['lvm-agent', 'tags and clvmd say who may have a group active', diskWithVolumes],
])('%s.txt: %s', (name, _, store) => {
  const node = booted(store());
  checkConsole(name, node);
  const checker = new Checker(invariants);
  for (const fact of node.facts) checker.observe(fact);
  checker.end(node.now);
  expect(checker.violations).toEqual([]);
});

describe('clvmd', () => {
  it('that has no lockspace after 30 s is said not to have started, and goes on waiting for it', () => {
    const node = machine({ '/etc/rc.d/rc': TEST_PROGRAMS.echo! });
    node.boot();
    // Without fenced no lockspace starts.
    for (const command of ['/sbin/start_udev', 'cman_tool -w join', 'dlm_controld']) node.type(command);
    const startedAt = node.now;
    expect(node.type('clvmd')).toEqual({ status: 1, output: '', errors: 'clvmd: startup timed out\n' });
    expect(node.now - startedAt).toBe(30 * SECOND);
    expect(node.type('vgs')!.status).toBe(5);
    expect(node.type('service clvmd status')!.status).toBe(0);
  });

  it('that is stopped while it waits for its lockspace gives it back when it is there', () => {
    const node = machine({ '/etc/rc.d/rc': TEST_PROGRAMS.echo! });
    node.boot();
    for (const command of ['/sbin/start_udev', 'cman_tool -w join', 'fenced', 'dlm_controld']) node.type(command);
    node.typeOnly('clvmd');
    node.typeOnly('killall clvmd');
    node.type('fence_tool join');
    node.run(20 * SECOND);
    expect(node.type('ls /sys/kernel/dlm')!.output.trim()).toBe('');
    expect(node.type('service clvmd status')!.output).toBe('clvmd is stopped\n');
  });

  it('that is killed leaves its volumes active and its lockspace behind, which the next one takes over', () => {
    const node = booted();
    node.type('killall -9 clvmd');
    expect(node.type('echo still > /mydata/a; cat /mydata/a')!.output).toBe('still\n');
    expect(node.type('ls /sys/kernel/dlm')!.output).toContain('clvmd');
    expect(node.type('vgchange -aly vg-1')!.status).toBe(5);
    expect(node.type('service clvmd start')!.status).toBe(0);
    expect(node.type('lvs')!.status).toBe(0);
    node.type('service rgmanager stop; service gfs2 stop; service clvmd stop');
    expect(node.type('ls /sys/kernel/dlm')!.output.trim()).toBe('');
  });

  it('ends with the cluster, and its volumes stay active', () => {
    const node = booted();
    node.type('killall -9 corosync');
    node.run(SECOND);
    expect(node.type('service clvmd status')!.output).toBe('clvmd is stopped\n');
    expect(node.type('fdisk -l /dev/vg-1/wall')!.output).toContain('Disk /dev/mapper/vg--1-wall: 4 MB');
  });

  it('lets one command at a time write the metadata of a group, and nobody read it meanwhile', () => {
    const node = booted();
    node.typeOnly('hold vg-1 5');
    const startedAt = node.now;
    expect(node.type('hold vg-1 0')).toEqual({ status: 0, output: 'undefined\nundefined\n', errors: '' });
    expect((node.now - startedAt) / SECOND).toBeCloseTo(5);
    node.typeOnly('hold vg-1 5');
    expect(node.type('vgs')!.status).toBe(0);
    expect((node.now - startedAt) / SECOND).toBeCloseTo(10);
  });

  it.each([
    ['has it', 0],
    ['waits for it', 5],
  ])('takes the lock back from a command that is killed while it %s', (_, held) => {
    const node = booted();
    if (held > 0) node.typeOnly(`hold vg-1 ${held}`);
    const startedAt = node.now;
    expect(node.type('limit 1 hold vg-1 100')!.status).toBe(137);
    expect(node.type('vgs')!.status).toBe(0);
    expect((node.now - startedAt) / SECOND).toBeCloseTo(Math.max(1, held));
  });

  it('answers who waits for a lock when the cluster is gone', () => {
    const node = booted();
    node.typeOnly('hold vg-1 100');
    const waiting = node.typeOnly('hold vg-1 0');
    node.type('killall -9 corosync');
    node.run(SECOND);
    expect(node.resultOf(waiting)).toMatchObject({ output: 'Lock was not granted\nECONNREFUSED\n' });
  });
});

it('fence_scsi finds the devices of clustered groups before clvmd runs', () => {
  const node = machine({ '/etc/rc.d/rc': TEST_PROGRAMS.echo! });
  node.boot();
  node.type('/sbin/start_udev');
  const asked = 'vgs --noheadings --separator : --sort pv_uuid --options vg_attr,pv_name';
  expect(node.type(`${asked} --config "global { locking_type = 0 }"`)).toEqual({
    status: 0,
    output: '  wz--nc:/dev/sda1\n  wz--n-:/dev/sda2\n',
    errors: '',
  });
  expect(node.type(asked)!.status).toBe(5);
  expect(node.type('vgs --noheadings --options vg_colour')!.status).toBe(3);
  expect(node.type('vgs --noheadings --options vg_name')!.status).toBe(5);
  expect(node.type('fence_scsi -o on -k 1')).toMatchObject({ status: 0, errors: '' });
  expect(node.type('cat /var/run/cluster/fence_scsi.dev')!.output).toBe('/dev/sda1\n');
});

it('a group of which a disk cannot be read is not there, and others are', () => {
  const node = booted();
  node.hasDiskCable = false;
  expect(node.type('vgs')).toEqual({ status: 0, output: '', errors: '  No volume groups found\n' });
});
