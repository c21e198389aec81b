import { MILLISECOND, SECOND } from '@quorate/kernel';
import { DiskState, decodeStatus, encodeStatus, formatQuorumDisk, statusSector } from '@quorate/qdisk';
import { SparseStore } from '@quorate/scsi';
import { describe, expect, it } from 'vitest';
import { DEVICES, loneCluster, TestMachine } from './machine.js';
import { TEST_PROGRAMS } from './programs.js';

const [DISK, QUORUM_DISK] = [DEVICES[0]!, DEVICES[1]!];
const QUORUMD = `  <quorumd label="myqdisk" votes="1" min_score="1" status_file="/var/run/qdisk_status">
    <heuristic program="ping -c1 -t2 beta" score="2" tko="3"/>
  </quorumd>
`;

function quorumDisk(): SparseStore {
  const store = new SparseStore({ blocks: DISK.blocks });
  formatQuorumDisk({ label: 'myqdisk', host: 'alpha', wall: 1_446_127_500 }, (sector, bytes) => {
    store.write(QUORUM_DISK.start + sector, bytes);
  });
  return store;
}

/** A node that has booted with a quorum disk and a heuristic that pings the other host. */
function booted(files: Readonly<Record<string, string>> = {}): TestMachine {
  const machine = new TestMachine({
    files: { '/etc/cluster/cluster.conf': loneCluster(QUORUMD), ...files },
    programs: TEST_PROGRAMS,
    store: quorumDisk(),
  });
  machine.boot();
  machine.runUntilLogged('runlevel 3 reached');
  return machine;
}

/** What a master does to a node that has been silent: EVICT in that node's own block. */
function evict(machine: TestMachine): void {
  const sector = QUORUM_DISK.start + statusSector(1, 512);
  const bytes = new Uint8Array(512);
  machine.store.read(sector, 1, bytes);
  const status = decodeStatus(bytes);
  if (typeof status === 'string') throw new Error(status);
  encodeStatus(bytes, { ...status, updateNode: 2, state: DiskState.EVICT });
  machine.store.write(sector, bytes);
}

describe('with a quorum disk', () => {
  it('qdiskd starts before quorum is waited for, and its votes count', () => {
    const machine = booted();
    expect(machine.type('ps')?.output).toMatch(/corosync -f\n.*qdiskd -Q\n.*fenced\n/);
    expect(machine.type('cman_tool status')?.output).toMatch(/Quorum device votes: 1\nTotal votes: 2\n/);
    expect(machine.type('cat /var/run/qdisk_status')?.output).toMatch(/Node ID: 1\n/);
  });

  it('a node whose heuristic fails is rebooted by qdiskd', () => {
    const machine = booted();
    machine.setCable(false);
    machine.run(30 * SECOND);
    expect(machine.halted).toBe('reboot');
  });

  it('a node that was paused and evicted meanwhile is rebooted within a cycle of its resume', () => {
    const machine = booted();
    // Between two cycles: one that has read its block already would write over the eviction.
    machine.run(100 * MILLISECOND);
    machine.pause(30 * SECOND);
    evict(machine);
    machine.run(1100 * MILLISECOND);
    expect(machine.halted).toBe('reboot');
  });

  it('a node that was paused and not evicted goes on', () => {
    const machine = booted();
    machine.pause(5 * SECOND);
    machine.run(10 * SECOND);
    expect(machine.halted).toBeUndefined();
    expect(machine.type('cman_tool status')?.output).toMatch(/Quorum device votes: 1\n/);
  });

  it('a clean shutdown ends qdiskd and leaves its block empty', () => {
    const machine = booted();
    machine.type('shutdown -h now');
    const bytes = new Uint8Array(512);
    machine.store.read(QUORUM_DISK.start + statusSector(1, 512), 1, bytes);
    expect([machine.halted, decodeStatus(bytes)]).toMatchObject(['poweroff', { state: DiskState.NONE }]);
  });
});

describe('the next life', () => {
  it('finds what was written to the root disk, and nothing of /tmp', () => {
    const machine = booted();
    for (const directory of ['/etc', '/tmp']) machine.type(`echo kept > ${directory}/note`);
    const next = booted(machine.files());
    expect(next.type('cat /etc/note')?.output).toBe('kept\n');
    expect(next.type('cat /tmp/note')?.errors).toBe('ENOENT\n');
    expect(next.type('cat /var/log/messages')?.output.split('kernel: Linux version')).toHaveLength(3);
  });

  it('goes on with the number of its ring', () => {
    const generation = (machine: TestMachine): number =>
      Number(/Cluster Generation: (\d+)/.exec(machine.type('cman_tool status')?.output ?? '')?.[1]);
    const machine = booted();
    expect(generation(booted(machine.files()))).toBeGreaterThan(generation(machine));
  });
});
