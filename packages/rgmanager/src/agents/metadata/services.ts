import type { AgentMetadata } from '../../conf/agent-metadata.js';
import { checks, defaults, others, PRIMARY_NAME, SERVICE_NAME, startStop } from './actions.js';

export const service: AgentMetadata = {
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

export const ip: AgentMetadata = {
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

export const script: AgentMetadata = {
  name: 'script',
  parameters: [
    { name: 'name', isPrimary: true, isUnique: true },
    { name: 'file', isUnique: true, isRequired: true },
    SERVICE_NAME,
  ],
  actions: [
    { name: 'start', timeout: '0' },
    { name: 'stop', timeout: '0' },
    ...checks({ interval: '30s', timeout: '0' }),
    ...others('0'),
  ],
};

export const vm: AgentMetadata = {
  name: 'vm',
  maxInstances: 1,
  initOnAdd: false,
  destroyOnDelete: false,
  parameters: [
    PRIMARY_NAME,
    { name: 'domain', isReconfig: true },
    { name: 'autostart', isReconfig: true, default: '1' },
    { name: 'exclusive', isReconfig: true, default: '0' },
    { name: 'recovery', isReconfig: true },
    { name: 'migration_mapping', isReconfig: true },
    { name: 'use_virsh', default: '' },
    { name: 'xmlfile' },
    { name: 'migrate', default: 'live' },
    { name: 'tunnelled', default: '' },
    { name: 'path' },
    { name: 'snapshot', default: '' },
    { name: 'depend' },
    { name: 'depend_mode', default: 'hard' },
    { name: 'max_restarts', isReconfig: true, default: '0' },
    { name: 'restart_expire_time', isReconfig: true, default: '0' },
    { name: 'status_program', isReconfig: true, default: '' },
    ...defaults({ hypervisor: 'auto', hypervisor_uri: 'auto', migration_uri: 'auto' }),
  ],
  actions: [
    ...startStop('300', '120'),
    ...checks({ interval: '30', timeout: '10' }, { depth: 10, interval: '60', timeout: '20' }),
    { name: 'reconfig', timeout: '10' },
    { name: 'migrate', timeout: '10m' },
    ...others('5'),
  ],
};
