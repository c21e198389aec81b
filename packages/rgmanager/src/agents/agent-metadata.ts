import type { AgentMetadata } from '../conf/agent-metadata.js';
import { type InstalledAgent, loadRules, type ResourceRule } from '../tree/resource-rule.js';
import * as applications from './metadata/applications.js';
import * as nfs from './metadata/nfs.js';
import * as services from './metadata/services.js';
import * as storage from './metadata/storage.js';
import * as vendors from './metadata/vendors.js';

/** Where agents are installed. */
export const AGENT_DIRECTORY = '/usr/share/cluster';

/** Those of SAP have no `.sh` at their end. */
function fileOf({ name }: AgentMetadata): string {
  return `${AGENT_DIRECTORY}/${name}${name.startsWith('SAP') ? '' : '.sh'}`;
}

/**
 * The agents of this package, with what they answer to `meta-data`.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources.
 */
export const installedAgents: readonly InstalledAgent[] = [
  services.service,
  services.ip,
  applications.apache,
  services.script,
  services.vm,
  storage.fs,
  storage.clusterfs,
  storage.lvm,
  storage.netfs,
  nfs.nfsserver,
  nfs.nfsexport,
  nfs.nfsclient,
  applications.mysql,
  applications.postgres8,
  applications.named,
  applications.openldap,
  applications.tomcat5,
  applications.tomcat6,
  applications.samba,
  applications.smb,
  storage.drbd,
  vendors.oracledb,
  vendors.orainstance,
  vendors.oralistener,
  vendors.sapInstance,
  vendors.sapDatabase,
  vendors.asehaAgent,
].map((metadata) => ({ file: fileOf(metadata), metadata }));

let rules: readonly ResourceRule[] | undefined;

/** Their rules, which every node reads anew and which are the same each time. */
export function installedRules(): readonly ResourceRule[] {
  rules ??= loadRules(installedAgents);
  return rules;
}
