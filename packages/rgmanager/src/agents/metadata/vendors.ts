import type { AgentMetadata } from '../../conf/agent-metadata.js';
import { checks, defaults, others, PRIMARY_NAME, parameters, startStop } from './actions.js';

const ORACLE_HOME: AgentMetadata['parameters'] = [
  { name: 'user', isRequired: true },
  { name: 'home', isRequired: true },
];

export const oracledb: AgentMetadata = {
  name: 'oracledb',
  maxInstances: 1,
  parameters: [
    PRIMARY_NAME,
    { name: 'listener_name', isUnique: true },
    ...ORACLE_HOME,
    { name: 'type' },
    { name: 'vhost', isUnique: true },
  ],
  actions: [
    ...startStop('900', '90'),
    { name: 'recover', timeout: '990' },
    { name: 'status', timeout: '10' },
    { name: 'monitor', timeout: '10' },
    ...checks({ depth: 10, interval: '30', timeout: '30' }),
    ...others('5'),
  ],
};

const UNVERIFIED: AgentMetadata['actions'] = [
  { name: 'meta-data', timeout: '0' },
  { name: 'verify-all', timeout: '0' },
];

export const orainstance: AgentMetadata = {
  name: 'orainstance',
  parameters: [PRIMARY_NAME, ...ORACLE_HOME, { name: 'listeners', default: '' }, { name: 'lockfile' }],
  actions: [...startStop('900', '90'), ...checks({ interval: '1m', timeout: '900' }), ...UNVERIFIED],
};

export const oralistener: AgentMetadata = {
  name: 'oralistener',
  parameters: [PRIMARY_NAME, ...ORACLE_HOME],
  actions: [...startStop('90', '30'), ...checks({ interval: '5m', timeout: '90' }), ...UNVERIFIED],
};

/** Programs of the administrator around start and stop. */
const USER_EXITS = defaults({
  PRE_START_USEREXIT: '',
  POST_START_USEREXIT: '',
  PRE_STOP_USEREXIT: '',
  POST_STOP_USEREXIT: '',
});

const SAP_OTHERS: AgentMetadata['actions'] = ['validate-all', 'meta-data', 'methods'].map((name) => ({
  name,
  timeout: '5',
}));

export const sapInstance: AgentMetadata = {
  name: 'SAPInstance',
  version: 'None',
  parameters: [
    { name: 'InstanceName', isPrimary: true, isUnique: true, isRequired: true, default: '' },
    ...defaults({ DIR_EXECUTABLE: '', DIR_PROFILE: '', START_PROFILE: '', START_WAITTIME: '3600' }),
    ...defaults({ AUTOMATIC_RECOVER: 'false' }),
    ...USER_EXITS,
  ],
  actions: [...startStop('180', '240'), ...checks({ interval: '120', timeout: '60' }), ...SAP_OTHERS],
};

export const sapDatabase: AgentMetadata = {
  name: 'SAPDatabase',
  version: 'None',
  parameters: [
    { name: 'SID', isPrimary: true, isUnique: true, isRequired: true, default: '' },
    ...defaults({ DIR_EXECUTABLE: '' }),
    { name: 'DBTYPE', isRequired: true, default: '' },
    ...defaults({ NETSERVICENAME: '', DBJ2EE_ONLY: 'false', JAVA_HOME: '', STRICT_MONITORING: 'false' }),
    ...defaults({ AUTOMATIC_RECOVER: 'false', DIR_BOOTSTRAP: '', DIR_SECSTORE: '', DB_JARS: '' }),
    ...USER_EXITS,
  ],
  actions: [...startStop('1800', '1800'), ...checks({ interval: '120', timeout: '60' }), ...SAP_OTHERS],
};

export const asehaAgent: AgentMetadata = {
  name: 'ASEHAagent',
  parameters: [
    { name: 'name', isPrimary: true, isUnique: true },
    { name: 'sybase_home', isRequired: true },
    { name: 'sybase_ase', isRequired: true, default: 'ASE-15_0' },
    { name: 'sybase_ocs', isRequired: true, default: 'OCS-15_0' },
    ...parameters('server_name', 'login_file', 'interfaces_file').map((each) => ({ ...each, isRequired: true })),
    { name: 'sybase_user', isRequired: true, default: 'sybase' },
    ...defaults({ shutdown_timeout: '0', start_timeout: '0', deep_probe_timeout: '0' }).map((each) => ({
      ...each,
      isRequired: true,
    })),
  ],
  actions: [
    ...startStop('300', '300'),
    ...checks({ interval: '30', timeout: '100' }, { depth: 10, interval: '120', timeout: '100' }),
    ...others('5'),
  ],
};
