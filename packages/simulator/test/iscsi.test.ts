import { parseSeed, SECOND, type Task } from '@quorate/kernel';
import {
  IscsiSharedDisk,
  type IscsiSharedDiskResult,
  iscsiSharedDiskTopology,
  type Lab,
  stackInvariants,
} from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { Simulator } from '../src/index.js';

const topology = iscsiSharedDiskTopology(administratorsPrograms);
const SEEDS = isThorough ? ['1', '2', '3', '4', '5', '6', '7'] : ['7'];

it.each(SEEDS)('a cluster shares the disks of a storage host, and one node loses its way there: seed %s', (seed) => {
  const simulator = new Simulator({
    scenario: new IscsiSharedDisk(),
    topology,
    seed: parseSeed(seed)!,
    invariants: stackInvariants,
  });
  const run = simulator.run();
  expect([run.exception, run.violations, (run.result as IscsiSharedDiskResult).failures]).toEqual([undefined, [], []]);
});

/** Runs a script on the three nodes of that cluster, once all have mounted. */
function onCluster(script: (lab: Lab) => Task): void {
  const simulator = new Simulator({
    scenario: {
      name: 'quorum-disk',
      title: 'a quorum disk on a storage host',
      kinds: [],
      *script(lab: Lab): Task {
        lab.powerOn(...lab.machines);
        yield* lab.wait(90 * SECOND);
        yield* script(lab);
      },
    },
    topology,
    seed: parseSeed('7')!,
    invariants: stackInvariants,
  });
  const { exception, violations } = simulator.run();
  expect([exception, violations]).toEqual([undefined, []]);
}

function* output(lab: Lab, machine: string, command: string): Task<string> {
  const done = yield* lab.exec(machine, command);
  return done?.output ?? 'no answer';
}

it('a quorum disk on a storage host counts, has a master, and keeps the last node quorate', () => {
  onCluster(function* (lab) {
    expect(yield* output(lab, 'node1', 'mkqdisk -L')).toMatch(/^\/dev\/sdc:\n(.*\n)*.*Label: +san\n/m);
    expect(yield* output(lab, 'node1', 'cman_tool status')).toMatch(/Quorum device votes: 2\nTotal votes: 5\n/);
    expect(yield* output(lab, 'node2', 'grep qdiskd /var/log/messages')).toContain('Node 1 is the master');
    lab.powerOff('node2', 'node3');
    yield* lab.wait(60 * SECOND);
    expect(yield* output(lab, 'node1', 'cman_tool status')).toMatch(/Total votes: 3\nNode votes: 1\nQuorum: 3 /);
    const said = yield* output(lab, 'node1', 'grep qdiskd /var/log/messages');
    for (const node of [2, 3]) expect(said).toContain(`Writing eviction notice for node ${node}`);
  });
});

it('a fault of the disks reaches those of a storage host: qdiskd says that it hangs, and nobody evicts it', () => {
  onCluster(function* (lab) {
    lab.fault({ kind: 'disks', machine: 'node3', impairment: { hungFor: 8 * SECOND } });
    const from = lab.now();
    const done = yield* lab.exec('node3', 'sg_persist -i -k /dev/sdb');
    expect([done?.status, Math.round((lab.now() - from) / SECOND)]).toEqual([0, 8]);
    expect(yield* output(lab, 'node1', 'grep qdiskd /var/log/messages')).toContain(
      'qdiskd on node 3 reports hung read()',
    );
    expect(yield* output(lab, 'node1', 'cman_tool status')).toContain('Total votes: 5');
  });
});
