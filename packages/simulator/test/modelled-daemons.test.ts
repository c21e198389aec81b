import { it } from 'vitest';
import { expectAnswers } from './typed-lines.js';

it('a virtual machine and a mount of NFS go from one machine to another', () => {
  expectAnswers([
    ['my-vm1', 'service libvirtd start', /OK/],
    ['my-vm2', 'service libvirtd start', /OK/],
    [
      'my-vm1',
      "echo '<domain><name>guest</name></domain>' > /mydata/guest.xml && virsh create /mydata/guest.xml",
      /started/,
    ],
    ['my-vm1', 'virsh migrate --live guest qemu+ssh://my-vm3/system', /unable to connect/],
    ['my-vm1', 'virsh migrate --live guest qemu+ssh://my-vm2/system tcp:my-vm2', /^$/],
    ['my-vm1', 'virsh list', /^$/],
    ['my-vm2', 'virsh list', /^ - guest running\n$/],
    ['my-vm2', 'service nfs start && exportfs -i -o rw *:/mydata', /OK/],
    ['my-vm4', 'mkdir /mnt; mount my-vm2:/mydata /mnt && cat /mnt/guest.xml', /guest/],
    ['my-vm4', 'echo by NFS > /mnt/note', /^$/],
    ['my-vm5', 'cat /mydata/note', /^by NFS\n$/],
  ]);
});
