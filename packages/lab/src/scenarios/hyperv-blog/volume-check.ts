import type { Fact, Nanos } from '@quorate/kernel';
import type { BlockStore } from '@quorate/scsi';
import { volumeCheck } from '../../volume-check.js';
import { VOLUME } from './disks.js';

/** What the checker finds on the walk-through's shared file system. */
export const checkVolume: (stores: ReadonlyMap<number, BlockStore>, now: Nanos) => readonly Fact[] =
  volumeCheck(VOLUME);
