import { it } from 'vitest';
import { expectAnswers, type Line } from './typed-lines.js';

const NOTHING = /^$/;
const IS_BUSY_ELSEWHERE = /^ {2}Error locking on node my-vm2: Volume is busy on another node\n$/;
const IS_DOWN = /^ {2}clvmd not running on node my-vm4\n/;

const MADE_ON_ONE: readonly Line[] = [
  ['my-vm1', 'cman_tool status', /^Ports Bound: 0 11 177 178 *$/m],
  ['my-vm4', 'fdisk -l', /^\/dev\/sdb1 +1 +3917 +31463271 +8e +Linux LVM$/m],
  ['my-vm5', 'lvs', /^ {2}my-store1 my-vg1 -wi-ao---- 20\.00g *$/m],
  ['my-vm1', 'lvcreate -n extra -L 1g my-vg1', /^ {2}Logical volume "extra" created\.\n$/],
  ['my-vm2', 'lvs', /^ {2}extra +my-vg1 -wi-a----- {2}1\.00g *$/m],
  ['my-vm2', 'lvchange -aln my-vg1/my-store1', /^ {2}Logical volume my-vg1\/my-store1 in use\.\n$/],
  ['my-vm2', 'lvchange -aln my-vg1/extra', NOTHING],
  ['my-vm2', 'lvs', /^ {2}extra +my-vg1 -wi------- {2}1\.00g *$/m],
  ['my-vm3', 'lvs', /^ {2}extra +my-vg1 -wi-a----- {2}1\.00g *$/m],
  ['my-vm4', 'lvextend -L +1g my-vg1/extra', /^ {2}Extending .* to 2\.00 GiB\n {2}.* successfully resized\n$/],
  ['my-vm3', 'fdisk -l /dev/my-vg1/extra', /^Disk \/dev\/mapper\/my--vg1-extra: 2147 MB, 2147483648 bytes$/m],
  ['my-vm2', 'vgchange -aly my-vg1', /^ {2}2 logical volume\(s\) in volume group "my-vg1" now active\n$/],
];

const EXCLUSIVE: readonly Line[] = [
  ['my-vm1', 'lvchange -aey my-vg1/extra', /^ {2}Error locking on node my-vm1: Device or resource busy\n$/],
  ['my-vm3', 'lvchange -an my-vg1/extra', NOTHING],
  ['my-vm1', 'lvchange -aey my-vg1/extra', NOTHING],
  ['my-vm2', 'lvchange -aly my-vg1/extra', IS_BUSY_ELSEWHERE],
  ['my-vm2', 'lvchange -aey my-vg1/extra', IS_BUSY_ELSEWHERE],
  [
    'my-vm2',
    'lvchange -ay my-vg1/extra',
    /^( {2}Error locking on node my-vm(1: Device or resource|[2-5]: Volume is) busy( on another node)?\n){5}$/,
  ],
  ['my-vm2', 'lvextend -L +1g my-vg1/extra', /successfully resized/],
  ['my-vm1', 'fdisk -l /dev/my-vg1/extra', /: 3221 MB/],
  ['my-vm2', 'lvchange -an my-vg1/extra', NOTHING],
  ['my-vm2', 'lvchange -aey my-vg1/extra', NOTHING],
];

const ONE_WITHOUT_CLVMD: readonly Line[] = [
  ['my-vm4', 'killall -9 clvmd', NOTHING],
  ['my-vm1', 'lvchange -an my-vg1/extra', IS_DOWN],
  ['my-vm1', 'lvcreate -n more -L 1g my-vg1', IS_DOWN],
  ['my-vm2', 'lvchange -aln my-vg1/extra', NOTHING],
  ['my-vm1', 'grep "has died" /var/log/messages', /clvmd: clvmd on node my-vm4 has died/],
  ['my-vm4', 'service clvmd start', /OK/],
  ['my-vm3', 'lvremove -f my-vg1/more', /^ {2}Logical volume "more" successfully removed\n$/],
];

const IN_USE_ELSEWHERE: readonly Line[] = [
  ['my-vm2', 'umount /mydata', NOTHING],
  [
    'my-vm2',
    'lvremove -f my-vg1/my-store1',
    /^( {2}Error locking on node my-vm[1345]: Logical volume .* in use\.\n){4} {2}Unable to deactivate logical volume/,
  ],
  ['my-vm1', 'lvs', /^ {2}my-store1 my-vg1 -wi-ao---- 20\.00g *$/m],
  ['my-vm2', 'lvs', /^ {2}my-store1 my-vg1 -wi------- 20\.00g *$/m],
  ['my-vm3', 'lvremove -f my-vg1/extra', /^ {2}Logical volume "extra" successfully removed\n$/],
  ['my-vm1', 'vgs', /^ {2}my-vg1 +1 +1 +0 wz--nc 30\.00g 10\.00g$/m],
];

it('a volume of the shared group is made, extended, activated on all nodes or on one alone, and removed', () => {
  expectAnswers([...MADE_ON_ONE, ...EXCLUSIVE, ...ONE_WITHOUT_CLVMD, ...IN_USE_ELSEWHERE]);
});
