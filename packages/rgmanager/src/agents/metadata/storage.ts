import type { AgentMetadata } from '../../conf/agent-metadata.js';
import { checks, others, PRIMARY_NAME, parameters, startStop } from './actions.js';

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

export const fs: AgentMetadata = {
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

export const clusterfs: AgentMetadata = {
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

export const lvm: AgentMetadata = {
  name: 'lvm',
  maxInstances: 1,
  parameters: [
    PRIMARY_NAME,
    { name: 'vg_name', isRequired: true },
    ...parameters('lv_name', 'self_fence'),
    { name: 'nfslock', inherit: 'service%nfslock' },
  ],
  actions: [
    ...startStop('5', '5'),
    ...checks({ interval: '1h', timeout: '5' }),
    { name: 'meta-data', timeout: '5' },
    { name: 'validate-all', timeout: '30' },
  ],
};

export const netfs: AgentMetadata = {
  name: 'netfs',
  parameters: [
    PRIMARY_NAME,
    { name: 'mountpoint', isUnique: true, isRequired: true },
    { name: 'host', isRequired: true },
    { name: 'export', isRequired: true },
    ...parameters('fstype', 'no_unmount', 'force_unmount', 'options'),
  ],
  actions: [
    ...startStop('900', '30'),
    ...checks(
      { interval: '1m', timeout: '10' },
      { depth: 10, interval: '5m', timeout: '30' },
      { depth: 20, interval: '10m', timeout: '30' },
    ),
    ...others('5'),
  ],
  children: [
    { type: 'nfsexport', isForbidden: true },
    { type: 'nfsclient', isForbidden: true },
  ],
};

export const drbd: AgentMetadata = {
  name: 'drbd',
  maxInstances: 1,
  parameters: [
    { name: 'name', isPrimary: true, isUnique: true },
    { name: 'resource', isUnique: true, isRequired: true },
  ],
  actions: [
    ...startStop('20', '20'),
    ...checks({ depth: 10, interval: '60', timeout: '20' }),
    { name: 'meta-data', timeout: '20' },
    { name: 'verify-all', timeout: '20' },
  ],
};
