import type { Program } from '@quorate/kernel';
import { daemonScript } from '../../init/daemon-script.js';
import { qemuKvm } from './domains.js';
import { libvirtd } from './libvirtd.js';
import { virsh } from './virsh.js';

/** The modelled virtual machines of a node, by names of programs. */
export const libvirtPrograms: readonly (readonly [string, Program])[] = [
  ['qemu-kvm', qemuKvm],
  ['libvirtd', libvirtd],
  ['virsh', virsh],
  ['/etc/init.d/libvirtd', daemonScript({ daemon: 'libvirtd', label: 'libvirtd daemon', title: 'libvirtd' })],
];
