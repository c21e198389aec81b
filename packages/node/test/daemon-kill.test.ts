import { SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { loneCluster, TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';
import { formattedDisk } from './volume.js';

const FILES = {
  '/etc/cluster/cluster.conf': loneCluster('  <rm/>\n'),
  '/etc/fstab': '/dev/sda2 /mydata gfs2 defaults 0 0\n',
  '/mydata/.keep': '',
};

function booted(): TestMachine {
  const machine = new TestMachine({ files: FILES, programs: TEST_PROGRAMS, store: formattedDisk() });
  machine.boot();
  machine.runUntilLogged('runlevel 3 reached');
  return machine;
}

function daemons(machine: TestMachine): string {
  const { output } = machine.type('ps aux')!;
  return ['corosync', 'fenced', 'dlm_controld', 'gfs_controld', 'clvmd', 'rgmanager']
    .filter((name) => new RegExp(` ${name}( |$)`, 'm').test(output))
    .join(' ');
}

describe('killall -9', () => {
  it.each([
    // killed      still there
    ['fenced', 'corosync dlm_controld gfs_controld clvmd rgmanager'],
    ['dlm_controld', ''],
    ['gfs_controld', 'corosync fenced dlm_controld clvmd rgmanager'],
    ['clvmd', 'corosync fenced dlm_controld gfs_controld rgmanager'],
    ['corosync', ''],
  ])('%s: left are "%s"', (daemon, left) => {
    const machine = booted();
    expect(machine.type(`killall -9 ${daemon}`)!.status).toBe(0);
    machine.run(10 * SECOND);
    expect(daemons(machine)).toBe(left);
  });

  it('a mount outlives gfs_controld', () => {
    const machine = booted();
    machine.type('killall -9 gfs_controld');
    expect(machine.type('echo still > /mydata/a; cat /mydata/a')!.output).toBe('still\n');
  });

  it('without dlm_controld lockspaces stop, and the node has itself removed from the cluster', () => {
    const machine = booted();
    machine.type('killall -9 dlm_controld');
    machine.run(SECOND);
    const stopped = machine.facts.filter(({ kind }) => kind === 'dlm.stopped');
    expect(stopped.map((fact) => 'lockspace' in fact && fact.lockspace)).toEqual(['clvmd', 'storage', 'rgmanager']);
    expect(machine.log).toContain('kernel: dlm: dlm_controld is gone with lockspaces, leaving the cluster');
  });

  it('without gfs_controld, too: nobody else would ever hear of its locks', () => {
    const machine = booted();
    machine.type('killall -9 gfs_controld');
    machine.type('killall -9 dlm_controld');
    machine.run(10 * SECOND);
    expect(daemons(machine)).toBe('');
  });

  it('a cluster that is started with lockspaces from before is left again', () => {
    const machine = booted();
    machine.type('killall -9 corosync');
    machine.typeOnly('service cman start');
    machine.run(60 * SECOND);
    expect(machine.log).toContain('dlm_controld: found uncontrolled lockspace storage');
    expect(machine.log).toContain('dlm_controld: telling cman to remove nodeid 1 from cluster');
  });

  it('rgmanager: its watchdog reboots the machine', () => {
    const machine = booted();
    machine.type('killall -9 rgmanager');
    expect(machine.halted).toBe('reboot');
  });

  it('a daemon that does not run cannot be killed', () => {
    const machine = booted();
    const { status, errors } = machine.type('killall -9 qdiskd')!;
    expect([status, errors]).toEqual([1, 'qdiskd: no process killed\n']);
  });
});

describe('killall', () => {
  it.each(['fenced', 'dlm_controld', 'gfs_controld'])('%s goes on while the file system is mounted', (daemon) => {
    const machine = booted();
    machine.type(`killall ${daemon}`);
    expect(daemons(machine)).toContain(daemon);
  });
});
