import type { Program } from '@quorate/kernel';
import { cat, echo, grep, ls, mkdir, mv, rm, rmdir } from './files.js';
import { date, hostname, ps } from './processes.js';
import { clustat, clusvcadm } from './services.js';
import { sgPersist } from './sg-persist.js';

/** What an administrator types, by name. cman's and fenced's tools come with the node, whose init scripts need them. */
export const administratorsPrograms: ReadonlyMap<string, Program> = new Map<string, Program>([
  ['cat', cat],
  ['clustat', clustat],
  ['clusvcadm', clusvcadm],
  ['date', date],
  ['echo', echo],
  ['grep', grep],
  ['hostname', hostname],
  ['ls', ls],
  ['mkdir', mkdir],
  ['mv', mv],
  ['ps', ps],
  ['rm', rm],
  ['rmdir', rmdir],
  ['sg_persist', sgPersist],
]);
