import type { AgentMetadata } from '../conf/agent-metadata.js';
import type { InstalledAgent } from '../tree/resource-rule.js';

/** Where agents are installed. */
export const AGENT_DIRECTORY = '/usr/share/cluster';

const PRIMARY_NAME = { name: 'name', isPrimary: true };

/** `status` and `monitor` are declared alike. */
function checks(...each: readonly { depth?: number; interval: string; timeout: string }[]): AgentMetadata['actions'] {
  return each.flatMap((check) => [
    { name: 'status', ...check },
    { name: 'monitor', ...check },
  ]);
}

function others(timeout: string): AgentMetadata['actions'] {
  return [
    { name: 'meta-data', timeout },
    { name: 'validate-all', timeout },
  ];
}

const service: AgentMetadata = {
  name: 'service',
  maxInstances: 1,
  parameters: [
    { name: 'name', isPrimary: true, isUnique: true, isRequired: true },
    { name: 'domain', isReconfig: true },
    { name: 'autostart', isReconfig: true, default: '1' },
    { name: 'exclusive', isReconfig: true, default: '0' },
    { name: 'nfslock', default: '0' },
    { name: 'nfs_client_cache', default: '0' },
    { name: 'recovery', isReconfig: true, default: 'restart' },
    { name: 'depend' },
    { name: 'depend_mode', default: 'hard' },
    { name: 'max_restarts', default: '0' },
    { name: 'restart_expire_time', default: '0' },
    { name: 'priority', default: '0' },
  ],
  actions: [
    { name: 'start', timeout: '5' },
    { name: 'stop', timeout: '5' },
    { name: 'reconfig', timeout: '5' },
    { name: 'recover', timeout: '5' },
    { name: 'reload', timeout: '5' },
    ...others('5'),
  ],
  children: [
    { type: 'lvm', start: 1, stop: 9 },
    { type: 'fs', start: 2, stop: 8 },
    { type: 'clusterfs', start: 3, stop: 7 },
    { type: 'netfs', start: 4, stop: 6 },
    { type: 'nfsexport', start: 5, stop: 5 },
    { type: 'nfsclient', start: 6, stop: 4 },
    { type: 'ip', start: 7, stop: 2 },
    { type: 'smb', start: 8, stop: 3 },
    { type: 'script', start: 9, stop: 1 },
  ],
};

const ip: AgentMetadata = {
  name: 'ip',
  maxInstances: 1,
  parameters: [
    { name: 'address', isPrimary: true, isUnique: true },
    { name: 'family' },
    { name: 'monitor_link', default: '1' },
    { name: 'nfslock', inherit: 'service%nfslock' },
    { name: 'sleeptime' },
    { name: 'disable_rdisc' },
    { name: 'prefer_interface' },
  ],
  actions: [
    { name: 'start', timeout: '20' },
    { name: 'stop', timeout: '20' },
    ...checks({ interval: '20', timeout: '10' }, { depth: 10, interval: '60', timeout: '20' }),
    ...others('20'),
  ],
  children: [
    { type: 'nfsclient', isForbidden: true },
    { type: 'nfsexport', isForbidden: true },
  ],
};

const apache: AgentMetadata = {
  name: 'apache',
  parameters: [
    PRIMARY_NAME,
    { name: 'server_root', default: '/etc/httpd' },
    { name: 'config_file', default: 'conf/httpd.conf' },
    { name: 'httpd_options' },
    { name: 'shutdown_wait' },
    { name: 'service_name', inherit: 'service%name' },
  ],
  actions: [
    { name: 'start', timeout: '0' },
    { name: 'stop', timeout: '0' },
    ...checks({ interval: '1m', timeout: '10' }, { depth: 10, interval: '5m', timeout: '30' }),
    ...others('1'),
  ],
};

const script: AgentMetadata = {
  name: 'script',
  parameters: [
    { name: 'name', isPrimary: true, isUnique: true },
    { name: 'file', isUnique: true, isRequired: true },
    { name: 'service_name', inherit: 'service%name' },
  ],
  actions: [
    { name: 'start', timeout: '0' },
    { name: 'stop', timeout: '0' },
    ...checks({ interval: '30s', timeout: '0' }),
    ...others('0'),
  ],
};

const MOUNTED: AgentMetadata['parameters'] = [
  PRIMARY_NAME,
  { name: 'mountpoint', isUnique: true, isRequired: true },
  { name: 'device', isUnique: true, isRequired: true },
  { name: 'fstype' },
  { name: 'force_unmount' },
];

const BELOW_MOUNTED: readonly { type: string; start: number; stop: number }[] = [
  { type: 'fs', start: 1, stop: 3 },
  { type: 'clusterfs', start: 1, stop: 3 },
  { type: 'nfsexport', start: 3, stop: 1 },
];

const fs: AgentMetadata = {
  name: 'fs',
  maxInstances: 1,
  parameters: [
    ...MOUNTED,
    { name: 'quick_status' },
    { name: 'self_fence' },
    { name: 'nfslock', inherit: 'nfslock' },
    { name: 'nfsrestart' },
    { name: 'fsid' },
    { name: 'force_fsck' },
    { name: 'options' },
  ],
  actions: [
    { name: 'start', timeout: '900' },
    { name: 'stop', timeout: '30' },
    ...checks(
      { interval: '1m', timeout: '10' },
      { depth: 10, interval: '30', timeout: '30' },
      { depth: 20, interval: '1m', timeout: '30' },
    ),
    ...others('5'),
  ],
  children: BELOW_MOUNTED,
};

const clusterfs: AgentMetadata = {
  name: 'clusterfs',
  parameters: [
    ...MOUNTED,
    { name: 'self_fence' },
    { name: 'fsid' },
    { name: 'nfslock', inherit: 'service%nfslock' },
    { name: 'nfsrestart' },
    { name: 'options' },
  ],
  actions: [
    { name: 'start', timeout: '900' },
    { name: 'stop', timeout: '30' },
    ...checks(
      { interval: '1m', timeout: '10' },
      { depth: 10, interval: '5m', timeout: '30' },
      { depth: 20, interval: '10m', timeout: '30' },
    ),
    ...others('5'),
  ],
  children: BELOW_MOUNTED,
};

/**
 * The agents of this package, with what they answer to `meta-data`.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources.
 */
export const installedAgents: readonly InstalledAgent[] = [service, ip, apache, script, fs, clusterfs].map(
  (metadata) => ({ file: `${AGENT_DIRECTORY}/${metadata.name}.sh`, metadata }),
);
