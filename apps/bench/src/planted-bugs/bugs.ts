import { DISK_BUGS } from './bugs/disks.js';
import { FILE_SYSTEM_BUGS } from './bugs/file-system.js';
import { LOCK_BUGS } from './bugs/locks.js';
import { MEMBERSHIP_BUGS } from './bugs/membership.js';
import { SERVICE_BUGS } from './bugs/services.js';
import type { PlantedBug } from './planted-bug.js';

/** One mistake for each rule at least. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...MEMBERSHIP_BUGS,
  ...DISK_BUGS,
  ...LOCK_BUGS,
  ...FILE_SYSTEM_BUGS,
  ...SERVICE_BUGS,
];
