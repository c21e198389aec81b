import type { Program } from '@quorate/kernel';
import { exportfs } from './exports.js';
import { idleDaemon, nfsd } from './nfsd.js';
import { nfslockScript, nfsScript } from './scripts.js';

/** The modelled NFS server, by names of programs. */
export const nfsPrograms: readonly (readonly [string, Program])[] = [
  ['nfsd', nfsd],
  ['rpc.mountd', idleDaemon],
  ['rpc.statd', idleDaemon],
  ['exportfs', exportfs],
  ['/etc/init.d/nfs', nfsScript],
  ['/etc/init.d/nfslock', nfslockScript],
];
