import type { Program } from '@quorate/kernel';
import type { Storage } from '../../os/storage.js';
import { lvs, pvs, vgs, vgscan } from './reports.js';
import { vgchange } from './vgchange.js';

/** The commands of LVM, by name. */
export function lvmPrograms(storage: Storage): readonly (readonly [string, Program])[] {
  return [
    ['pvs', pvs(storage)],
    ['vgs', vgs(storage)],
    ['lvs', lvs(storage)],
    ['vgscan', vgscan(storage)],
    ['vgchange', vgchange(storage)],
  ];
}
