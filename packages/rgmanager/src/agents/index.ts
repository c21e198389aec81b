import type { Program } from '@quorate/kernel';
import { installedAgents } from './agent-metadata.js';
import { apache } from './apache.js';
import { clusterfs } from './clusterfs.js';
import { fs } from './fs.js';
import { ip } from './ip.js';
import { lvm } from './lvm.js';
import { mysql } from './mysql.js';
import { named } from './named.js';
import { netfs } from './netfs.js';
import { nfsclient } from './nfsclient.js';
import { nfsexport } from './nfsexport.js';
import { nfsserver } from './nfsserver.js';
import { openldap } from './openldap.js';
import { postgres8 } from './postgres-8.js';
import { samba } from './samba.js';
import { script } from './script.js';
import { service } from './service.js';
import { smb } from './smb.js';
import { tomcat5, tomcat6 } from './tomcat.js';
import * as vendors from './vendors.js';
import { vm } from './vm.js';

const PROGRAMS: Readonly<Record<string, Program>> = {
  service,
  vm,
  ip,
  apache,
  script,
  fs,
  clusterfs,
  lvm,
  netfs,
  nfsserver,
  nfsexport,
  nfsclient,
  mysql,
  'postgres-8': postgres8,
  named,
  openldap,
  samba,
  smb,
  'tomcat-5': tomcat5,
  'tomcat-6': tomcat6,
  drbd: vendors.drbd,
  oracledb: vendors.oracledb,
  orainstance: vendors.orainstance,
  oralistener: vendors.oralistener,
  SAPInstance: vendors.sapInstance,
  SAPDatabase: vendors.sapDatabase,
  ASEHAagent: vendors.asehaAgent,
};

/** The resource agents by the file that rgmanager runs: `/usr/share/cluster/ip.sh`. */
export const agentPrograms: ReadonlyMap<string, Program> = new Map(
  installedAgents.map(({ file, metadata }) => [file, PROGRAMS[metadata.name]!]),
);
