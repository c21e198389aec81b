import { parseSeed, SECOND, type Task } from '@quorate/kernel';
import { hypervBlogTopology, type Lab, type Scenario, stackInvariants } from '@quorate/lab';
import { administratorsPrograms } from '@quorate/shell';
import { expect, it } from 'vitest';
import { Simulator } from '../src/index.js';

/** What is typed, where, and what comes of it. */
type Line = readonly [machine: string, command: string, expected: RegExp];

const TYPED: readonly Line[] = [
  ['my-vm1', 'cman_tool status', /^Ports Bound: 0 11 177 178 *$/m],
  ['my-vm4', 'fdisk -l', /^\/dev\/sdb1 +1 +3917 +31463271 +8e +Linux LVM$/m],
  ['my-vm5', 'lvs', /^ {2}my-store1 my-vg1 -wi-ao---- 20\.00g *$/m],
  ['my-vm1', 'lvcreate -n extra -L 1g my-vg1', /^ {2}Logical volume "extra" created\.\n$/],
  ['my-vm2', 'vgchange -aly my-vg1', /^ {2}2 logical volume\(s\) in volume group "my-vg1" now active\n$/],
  ['my-vm1', 'lvremove -f my-vg1/extra', /^ {2}Error locking on node my-vm1: Volume is busy on another node\n$/],
  ['my-vm2', 'lvchange -aln my-vg1/my-store1', /^ {2}Logical volume my-vg1\/my-store1 in use\.\n$/],
  ['my-vm2', 'lvchange -aln my-vg1/extra', /^$/],
  ['my-vm3', 'lvremove -f my-vg1/extra', /^ {2}Logical volume "extra" successfully removed\n$/],
  ['my-vm1', 'vgs', /^ {2}my-vg1 +1 +1 +0 wz--nc 30\.00g 10\.00g$/m],
];

function* type(lab: Lab): Task<readonly (readonly [Line, string])[]> {
  lab.powerOn(...lab.machines);
  yield* lab.wait(70 * SECOND);
  const found: (readonly [Line, string])[] = [];
  for (const line of TYPED) {
    const done = yield* lab.exec(line[0], line[1]);
    found.push([line, done === undefined ? 'no answer' : done.output + done.errors]);
  }
  return found;
}

it('a volume of the shared group is made on one node, is active on another, and is removed when it is active nowhere', () => {
  const scenario: Scenario<readonly (readonly [Line, string])[]> = {
    name: 'volumes',
    title: 'what an administrator types about volumes',
    kinds: [],
    script: type,
  };
  const topology = hypervBlogTopology(administratorsPrograms);
  const run = new Simulator({ scenario, topology, seed: parseSeed('7')!, invariants: stackInvariants }).run();
  expect([run.exception, run.violations]).toEqual([undefined, []]);
  for (const [[machine, command, expected], output] of run.result as readonly (readonly [Line, string])[]) {
    expect(output, `${machine}# ${command}`).toMatch(expected);
  }
});
