import { it } from 'vitest';
import { expectAnswers, type Line } from './typed-lines.js';

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

it('a volume of the shared group is made on one node, is active on another, and is removed when it is active nowhere', () => {
  expectAnswers(TYPED);
});
