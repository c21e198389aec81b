import type { Program } from '@quorate/kernel';
import { quota } from './quota.js';
import { quotacheck } from './quotacheck.js';
import { quotaon, quotasync } from './quotaon.js';
import { repquota } from './repquota.js';
import { setquota } from './setquota.js';

/** The quota tools, for file systems of GFS2 that are mounted with `quota=on` or `quota=account`. */
export const quotaPrograms: readonly (readonly [string, Program])[] = [
  ['quota', quota],
  ['quotacheck', quotacheck],
  ['quotaoff', quotaon],
  ['quotaon', quotaon],
  ['quotasync', quotasync],
  ['repquota', repquota],
  ['setquota', setquota],
];
