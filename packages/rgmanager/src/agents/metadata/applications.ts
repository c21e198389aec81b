import type { AgentMetadata } from '../../conf/agent-metadata.js';
import { APPLICATION_ACTIONS, checks, defaults, others, PRIMARY_NAME, parameters, SERVICE_NAME } from './actions.js';

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

export const mysql: AgentMetadata = {
  name: 'mysql',
  parameters: [
    PRIMARY_NAME,
    ...defaults({ config_file: '/etc/my.cnf' }),
    ...parameters('listen_address', 'mysqld_options'),
    ...defaults({ startup_wait: '30' }),
    ...parameters('shutdown_wait'),
    SERVICE_NAME,
  ],
  actions: APPLICATION_ACTIONS,
};

export const postgres8: AgentMetadata = {
  name: 'postgres-8',
  parameters: [
    PRIMARY_NAME,
    ...defaults({
      config_file: '/var/lib/pgsql/data/postgresql.conf',
      postmaster_user: 'postgres',
      postmaster_options: '-D /var/lib/pgsql/data',
    }),
    ...parameters('shutdown_wait'),
    SERVICE_NAME,
  ],
  actions: APPLICATION_ACTIONS,
};
