import type { Program } from '@quorate/kernel';
import { mysql, psql } from './clients.js';
import { mysqld, mysqldSafe } from './mysqld.js';
import { pgCtl, postmaster } from './postmaster.js';

/** Modelled databases and their clients, by name. */
export const databasePrograms: readonly (readonly [string, Program])[] = [
  ['mysqld_safe', mysqldSafe],
  ['mysqld', mysqld],
  ['mysql', mysql],
  ['postmaster', postmaster],
  ['pg_ctl', pgCtl],
  ['psql', psql],
];
