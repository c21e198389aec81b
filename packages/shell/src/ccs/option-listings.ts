import type { Os, Task } from '@quorate/kernel';
import { installedAgents } from '@quorate/rgmanager';
import type { ClusterAction } from './cluster-actions.js';
import { CcsComplaint } from './complaint.js';

/** Fence agents that every machine has. */
const FENCE_AGENTS = ['fence_power', 'fence_scsi'];
const NO_DESCRIPTION = 'No description available';

/** What the agents say of themselves; of the others there is no description. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  service: 'Defines a service (resource group).',
  ASEHAagent: 'Sybase ASE Failover Instance',
  SAPDatabase: 'SAP database resource agent',
  SAPInstance: 'SAP instance resource agent',
  apache: 'Defines an Apache web server',
  clusterfs: 'Defines a cluster file system mount.',
  fs: 'Defines a file system mount.',
  ip: 'This is an IP address.',
  lvm: 'LVM Failover script',
  mysql: 'Defines a MySQL database server',
  named: 'Defines an instance of named server',
  netfs: 'Defines an NFS/CIFS file system mount.',
  nfsclient: 'Defines an NFS client.',
  nfsexport: 'This defines an NFS export.',
  nfsserver: 'This defines an NFS server resource.',
  openldap: 'Defines an Open LDAP server',
  oracledb: 'Oracle 10g Failover Instance',
  orainstance: 'Oracle 10g Failover Instance',
  oralistener: 'Oracle 10g Listener Instance',
  'postgres-8': 'Defines a PostgreSQL server',
  samba: 'Dynamic smbd/nmbd resource agent',
  script: 'LSB-compliant init script as a clustered resource.',
  'tomcat-6': 'Defines a Tomcat server',
  vm: 'Defines a Virtual Machine',
};

interface Described {
  readonly name: string;
  readonly description: string;
  readonly options: readonly { readonly name: string; readonly description: string; readonly isRequired: boolean }[];
}

/** `--lsserviceopts [TYPE]`, also `--lsresourceopts`: types of resources; of one its options. */
const listResources: ClusterAction = function* (os, { words: [type] }) {
  const agents = installedAgents.map(({ metadata: { name, parameters } }) => ({
    name,
    description: DESCRIPTIONS[name] ?? NO_DESCRIPTION,
    options: parameters.map((parameter) => ({
      name: parameter.name,
      description: NO_DESCRIPTION,
      isRequired: parameter.isRequired === true || parameter.isPrimary === true,
    })),
  }));
  // Those of services come first.
  const sorted = agents.sort(
    (a, b) => Number(b.name === 'service') - Number(a.name === 'service') || (a.name < b.name ? -1 : 1),
  );
  return list(os, sorted, type, 'service');
};

/** `--lsvmopts`: options of virtual machines. */
const listMachines: ClusterAction = function* (os, options) {
  return yield* listResources(os, { ...options, words: ['vm'] });
};

/** `--lsfenceopts [TYPE]`: fence agents; of one its options, as it says when it is asked. */
const listFenceAgents: ClusterAction = function* (os, { words: [type] }) {
  const agents: Described[] = [];
  for (const name of FENCE_AGENTS) agents.push(yield* describedBy(os, name));
  return list(os, agents, type, 'fence');
};

function* describedBy(os: Os, name: string): Task<Described> {
  const { output } = yield* os.run([name, '-o', 'metadata']);
  const description = /<resource-agent [^>]*shortdesc="([^"]*)"/.exec(output)?.[1] ?? NO_DESCRIPTION;
  const parameters = output.matchAll(/<parameter name="([^"]*)"[^>]*required="(\d)"[\s\S]*?<shortdesc[^>]*>([^<]*)</g);
  const options = [...parameters].map(([, option, required, text]) => ({
    name: option!,
    description: text!,
    isRequired: required === '1',
  }));
  return { name, description, options };
}

function list(os: Os, all: readonly Described[], name: string | undefined, kind: string): number {
  if (name === undefined) {
    for (const agent of all) os.print(`${agent.name} - ${agent.description}\n`);
    return 0;
  }
  const agent = all.find((each) => each.name === name);
  if (agent === undefined) throw new CcsComplaint(`No information for ${kind} type: ${name}`);
  os.print(`${agent.name} - ${agent.description}\n`);
  for (const isRequired of [true, false]) {
    os.print(`  ${isRequired ? 'Required' : 'Optional'} Options:\n`);
    for (const option of agent.options.filter((each) => each.isRequired === isRequired)) {
      os.print(`    ${option.name}: ${option.description}\n`);
    }
  }
  return 0;
}

export const OPTION_LISTINGS: readonly (readonly [string, ClusterAction])[] = [
  ['--lsfenceopts', listFenceAgents],
  ['--lsserviceopts', listResources],
  ['--lsresourceopts', listResources],
  ['--lsvmopts', listMachines],
];
