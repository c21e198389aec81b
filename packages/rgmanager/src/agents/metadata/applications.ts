import type { AgentMetadata } from '../../conf/agent-metadata.js';
import {
  APPLICATION_ACTIONS,
  checks,
  defaults,
  others,
  PRIMARY_NAME,
  parameters,
  SERVICE_NAME,
  startStop,
} from './actions.js';

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

const SAMBA_ACTIONS: AgentMetadata['actions'] = [
  ...startStop('0', '0'),
  ...checks({ interval: '30s', timeout: '0' }),
  ...others('0'),
];

export const named: AgentMetadata = {
  name: 'named',
  parameters: [
    PRIMARY_NAME,
    ...defaults({ config_file: '/etc/named.conf', named_sdb: '0', named_working_dir: '/var/named' }),
    ...parameters('named_options'),
    ...defaults({ shutdown_wait: '5' }),
    SERVICE_NAME,
  ],
  actions: APPLICATION_ACTIONS,
};

export const openldap: AgentMetadata = {
  name: 'openldap',
  parameters: [
    PRIMARY_NAME,
    ...defaults({ config_file: '/etc/openldap/slapd.conf', url_list: 'ldap:///' }),
    ...parameters('slapd_options', 'shutdown_wait'),
    SERVICE_NAME,
  ],
  actions: APPLICATION_ACTIONS,
};

export const tomcat5: AgentMetadata = {
  name: 'tomcat-5',
  parameters: [
    PRIMARY_NAME,
    ...defaults({ config_file: '/etc/tomcat5/tomcat5.conf', tomcat_user: 'tomcat' }),
    ...parameters('catalina_options'),
    ...defaults({ catalina_base: '/usr/share/tomcat5', shutdown_wait: '30' }),
    SERVICE_NAME,
  ],
  actions: APPLICATION_ACTIONS,
};

export const tomcat6: AgentMetadata = {
  name: 'tomcat-6',
  parameters: [
    PRIMARY_NAME,
    ...defaults({ config_file: '/etc/tomcat6/tomcat6.conf', shutdown_wait: '30' }),
    SERVICE_NAME,
  ],
  actions: APPLICATION_ACTIONS,
};

export const samba: AgentMetadata = {
  name: 'samba',
  parameters: [
    { name: 'name', isPrimary: true, isUnique: true },
    ...defaults({ config_file: '/etc/samba/smb.conf' }),
    ...parameters('smbd_options', 'nmbd_options', 'shutdown_wait'),
    SERVICE_NAME,
  ],
  actions: SAMBA_ACTIONS,
};

export const smb: AgentMetadata = {
  name: 'smb',
  parameters: [
    { name: 'name', isPrimary: true, isUnique: true },
    ...defaults({ workgroup: 'LINUXCLUSTER' }),
    SERVICE_NAME,
  ],
  actions: SAMBA_ACTIONS,
};
