import type { Program } from '@quorate/kernel';
import type { Storage } from '../../os/storage.js';
import { lvcreate, lvremove } from './logical-volumes.js';
import { lvchange } from './lvchange.js';
import { lvextend } from './lvextend.js';
import { lvm } from './lvm.js';
import { pvcreate, vgcreate, vgextend } from './physical-volumes.js';
import { lvdisplay, lvs, pvdisplay, pvs, pvscan, vgdisplay, vgs, vgscan } from './reports.js';
import { vgchange } from './vgchange.js';

/** The commands of LVM, by name. */
export function lvmPrograms(storage: Storage): readonly (readonly [string, Program])[] {
  return [
    ['lvm', lvm(storage)],
    ['pvs', pvs(storage)],
    ['vgs', vgs(storage)],
    ['lvs', lvs(storage)],
    ['vgscan', vgscan(storage)],
    ['pvdisplay', pvdisplay(storage)],
    ['vgdisplay', vgdisplay(storage)],
    ['lvdisplay', lvdisplay(storage)],
    ['vgchange', vgchange(storage)],
    ['lvchange', lvchange(storage)],
    ['pvcreate', pvcreate(storage)],
    ['vgcreate', vgcreate(storage)],
    ['vgextend', vgextend(storage)],
    ['lvcreate', lvcreate(storage)],
    ['lvremove', lvremove(storage)],
    ['lvextend', lvextend(storage)],
    ['pvscan', pvscan(storage)],
  ];
}
