import type { AgentMetadata } from '../../conf/agent-metadata.js';
import { checks, defaults, others, PRIMARY_NAME, parameters, SERVICE_NAME } from './actions.js';

export const apache: AgentMetadata = {
  name: 'apache',
  parameters: [
    PRIMARY_NAME,
    ...defaults({ server_root: '/etc/httpd', config_file: 'conf/httpd.conf' }),
    ...parameters('httpd_options', 'shutdown_wait'),
    SERVICE_NAME,
  ],
  actions: [
    { name: 'start', timeout: '0' },
    { name: 'stop', timeout: '0' },
    ...checks({ interval: '1m', timeout: '10' }, { depth: 10, interval: '5m', timeout: '30' }),
    ...others('1'),
  ],
};
