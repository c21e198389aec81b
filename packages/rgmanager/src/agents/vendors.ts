import type { Program, Task } from '@quorate/kernel';
import { type AgentCall, AgentExit, resourceAgent } from './resource-agent.js';
import { toolAgent } from './tool-agent.js';

/**
 * drbd.sh: a DRBD resource that is primary on one node.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/drbd.sh.
 */
export const drbd: Program = toolAgent({
  type: 'drbd',
  required: ['resource'],
  start: (call) => ['drbdadm', 'primary', call.parameter('resource')],
  stop: (call) => ['drbdadm', 'secondary', call.parameter('resource')],
  status: (call) => ['drbdadm', 'role', call.parameter('resource')],
  statusExit: (_status, role) => {
    if (role.startsWith('Primary/')) return AgentExit.SUCCESS;
    return role.startsWith('Secondary/') ? AgentExit.NOT_RUNNING : AgentExit.GENERIC;
  },
});

/** Listener control of an Oracle home. */
function listenerControl(action: string): (call: AgentCall) => readonly string[] {
  return (call) => [`${call.parameter('home')}/bin/lsnrctl`, action, call.parameter('name')];
}

/**
 * oralistener.sh: a listener of Oracle.
 *
 * Simplified: what `su` does as `user` is done as root.
 *
 * Source: ClusterLabs resource-agents 3.9.5, rgmanager/src/resources/oralistener.sh.
 */
export const oralistener: Program = toolAgent({
  type: 'oralistener',
  required: ['name', 'home', 'user'],
  start: listenerControl('start'),
  stop: listenerControl('stop'),
  status: listenerControl('status'),
});

/**
 * An agent for what no node has, nor a model of it: every action on a resource that is complete ends with 5, program not installed,
 * and says what is missing.
 */
function absentAgent(type: string, product: string, required: readonly string[]): Program {
  function* validate(call: AgentCall): Task<number> {
    const missing = required.find((name) => call.parameter(name) === '');
    if (missing === undefined) return AgentExit.SUCCESS;
    call.log('err', `${call.instance}: no ${missing} specified`);
    return AgentExit.ARGUMENTS;
  }
  function* refuse(call: AgentCall): Task<number> {
    const refused = yield* validate(call);
    if (refused !== AgentExit.SUCCESS) return refused;
    call.log('err', `${call.instance}: ${product} is not installed, and is not modelled here`);
    return AgentExit.INSTALLED;
  }
  return resourceAgent(type, {
    start: refuse,
    stop: refuse,
    status: refuse,
    validate,
    others: { recover: refuse, 'verify-all': validate },
  });
}

export const oracledb: Program = absentAgent('oracledb', 'Oracle', ['name', 'user', 'home']);
export const orainstance: Program = absentAgent('orainstance', 'Oracle', ['name', 'user', 'home']);
export const sapInstance: Program = absentAgent('SAPInstance', 'SAP', ['InstanceName']);
export const sapDatabase: Program = absentAgent('SAPDatabase', 'SAP', ['SID', 'DBTYPE']);
export const asehaAgent: Program = absentAgent('ASEHAagent', 'Sybase ASE', [
  ...['sybase_home', 'sybase_ase', 'sybase_ocs', 'server_name', 'login_file', 'interfaces_file', 'sybase_user'],
]);
