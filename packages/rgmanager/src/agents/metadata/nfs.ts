import type { AgentMetadata } from '../../conf/agent-metadata.js';
import { checks, PRIMARY_NAME, parameters, SERVICE_NAME, startStop } from './actions.js';

function actions(start: string, interval: string): AgentMetadata['actions'] {
  return [
    ...startStop(start, '5'),
    { name: 'recover', timeout: start },
    ...checks({ interval, timeout: '5' }),
    { name: 'meta-data', timeout: '5' },
    { name: 'validate-all', timeout: '30' },
  ];
}

export const nfsserver: AgentMetadata = {
  name: 'nfsserver',
  maxInstances: 1,
  parameters: [PRIMARY_NAME, { name: 'path', inherit: 'mountpoint' }, { name: 'nfspath', default: '.clumanager/nfs' }],
  actions: actions('5', '30'),
  children: [
    { type: 'nfsexport', isForbidden: true },
    { type: 'nfsserver', isForbidden: true },
    { type: 'nfsclient', start: 1, stop: 2 },
    { type: 'ip', start: 2, stop: 1 },
  ],
};

export const nfsexport: AgentMetadata = {
  name: 'nfsexport',
  parameters: [
    PRIMARY_NAME,
    { name: 'device', inherit: 'device' },
    { name: 'path', inherit: 'mountpoint' },
    { name: 'fsid', inherit: 'fsid' },
  ],
  actions: actions('5', '1h'),
  children: [{ type: 'nfsexport', isForbidden: true }, { type: 'nfsclient' }],
};

export const nfsclient: AgentMetadata = {
  name: 'nfsclient',
  parameters: [
    { name: 'name', isPrimary: true, isUnique: true },
    { name: 'target', isRequired: true },
    { name: 'path', inherit: 'path' },
    { name: 'svcname', inherit: 'service%name' },
    { name: 'fsid', inherit: 'fsid' },
    ...parameters('options', 'allow_recover'),
    SERVICE_NAME,
    { name: 'use_cache', inherit: 'service%nfs_client_cache' },
  ],
  actions: actions('90', '1m'),
};
